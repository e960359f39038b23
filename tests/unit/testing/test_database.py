"""DynamoDB for tests."""

from contextlib import closing
from datetime import UTC, datetime

import boto3
import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from moto.dynamodb.models.dynamo_type import Item
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from tests import dynamodb_server
from ws_lambda import aws
from ws_lambda.conf import conf
from ws_lambda.models import ChannelMembership, WebSocketSession, all_tables
from ws_lambda.tables import shared_connection
from ws_lambda.tables.table import TableMeta
from ws_lambda.testing import DynamoDBFaults, dynamodb_faults, tables

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROW = {"endpoint_url": "https://x", "api_id": "a", "user_id": "1"}
ROW |= dict.fromkeys(("connected_at", "joined_at", "expires_at"), NOW)


@pytest.fixture
def tables_server():
    with dynamodb_server.serving() as url:
        yield url


def test_every_table_is_there(ws_tables):
    assert all(table.exists() for table in all_tables())


def test_another_endpoint_gets_tables_of_its_own(tables_server, monkeypatch, settings):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", tables_server)
    with tables():
        name = WebSocketSession.Meta.table_name
        assert name.startswith("test_")
        settings.WS_LAMBDA = {"TOKEN_SECONDS": 30}
        assert WebSocketSession.Meta.table_name == name, "settings of a test take no tables away"
        assert WebSocketSession.exists()
    assert WebSocketSession.Meta.table_name == "ws_lambda_sessions"


def test_tables_at_an_endpoint_are_made_once_and_emptied(tables_server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", tables_server)
    with tables():
        name = WebSocketSession.Meta.table_name
        for number in range(60):  # three BatchWriteItem
            ChannelMembership("room", f"C{number}=", **ROW).save()
    with tables() as requests:
        assert WebSocketSession.Meta.table_name == name
        assert requests == []
        assert list(ChannelMembership.scan()) == []


def test_a_table_that_a_test_deletes_is_there_for_the_next_one(tables_server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", tables_server)
    with tables():
        ChannelMembership.delete_table()
    with tables():
        assert list(ChannelMembership.scan()) == []


@pytest.fixture
def at_endpoint(tables_server, monkeypatch):
    """A client of the endpoint that the tables are at."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", tables_server)
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    with closing(boto3.client("dynamodb", "eu-west-1", endpoint_url=tables_server, **keys)) as client:
        yield client


@pytest.fixture
def neighbour(at_endpoint):
    """Tables of somebody else, with one item each. Returns how many items they have."""
    named = ["ws_lambda_" + ChannelMembership.Meta.name, "production_" + ChannelMembership.Meta.name]
    hash_and_range = ("channel", "HASH"), ("connection_id", "RANGE")
    for name in named:
        at_endpoint.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in hash_and_range],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _kind in hash_and_range],
            BillingMode="PAY_PER_REQUEST",
        )
        at_endpoint.put_item(TableName=name, Item={key: {"S": "theirs"} for key, _kind in hash_and_range})
    return lambda: [at_endpoint.scan(TableName=name)["Count"] for name in named]


def declare(monkeypatch, *models):
    monkeypatch.setattr(apps.get_app_config("ws_lambda"), "dynamodb_tables", models, raising=False)


def test_a_prefix_that_a_test_sets_empties_no_other_table(neighbour, monkeypatch):
    with monkeypatch.context() as changed, tables():
        ChannelMembership("room", "own", **ROW).save()
        changed.setitem(vars(conf), "TABLE_PREFIX", "production_")
        assert ChannelMembership.get("theirs", "theirs", attributes_to_get=["channel"])
    assert neighbour() == [1, 1]
    with tables():
        assert list(ChannelMembership.scan()) == []


@pytest.mark.parametrize("wrong", [{"TABLE_PREFIX": "other_"}, {"TABLE_PREFIX": 7}])
def test_settings_at_the_end_of_a_test_change_no_name(neighbour, settings, wrong):
    with override_settings(WS_LAMBDA={}), tables():
        ChannelMembership("room", "own", **ROW).save()
        settings.WS_LAMBDA = wrong
    settings.WS_LAMBDA = {}
    assert neighbour() == [1, 1]
    with tables():
        assert list(ChannelMembership.scan()) == []


def test_a_table_with_a_fixed_name_is_refused(neighbour, at_endpoint, monkeypatch):
    class Fixed(ChannelMembership):
        class Meta:
            table_name = "ws_lambda_" + ChannelMembership.Meta.name

    declare(monkeypatch, Fixed)
    before = at_endpoint.list_tables()["TableNames"]
    with pytest.raises(ImproperlyConfigured, match="metaclass=TableMeta"), tables():
        pytest.fail("it is not refused")
    assert neighbour() == [1, 1]
    assert at_endpoint.list_tables()["TableNames"] == before


def test_two_classes_may_share_a_table(at_endpoint, monkeypatch):
    class Twin(ChannelMembership):
        class Meta(metaclass=TableMeta):
            name = ChannelMembership.Meta.name

    declare(monkeypatch, Twin)
    with tables():
        ChannelMembership("room", "own", **ROW).save()
    with tables():
        assert list(Twin.scan()) == []


def test_a_table_of_several_pages_is_emptied(at_endpoint):
    with tables():
        name = ChannelMembership.Meta.table_name
        for number in range(5):  # a page is 1 MB
            key = {"channel": {"S": "room"}, "connection_id": {"S": str(number)}}
            at_endpoint.put_item(TableName=name, Item=key | {"big": {"S": "x" * 350_000}})
        assert "LastEvaluatedKey" in at_endpoint.scan(TableName=name)
    assert at_endpoint.scan(TableName=name)["Count"] == 0


def test_tables_behind_a_proxy_are_those_of_the_endpoint(at_endpoint):
    with tables():
        name = ChannelMembership.Meta.table_name
    with dynamodb_faults() as proxy, tables():
        assert ChannelMembership.Meta.table_name == name
        ChannelMembership("room", "own", **ROW).save()
        proxy.faults = DynamoDBFaults(cut_before=1)
    assert at_endpoint.scan(TableName=name)["Count"] == 0


def test_clients_that_ignore_the_endpoint_are_refused(at_endpoint, monkeypatch):
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    aws.forget()
    with pytest.raises(ImproperlyConfigured, match="AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), tables():
        pytest.fail("it is not refused")
    aws.forget()


def test_a_cancelled_transaction_leaves_everything_as_it_was(ws_tables):
    from moto.dynamodb.models import Table

    def members():
        return sorted((row.channel, row.connection_id) for row in ChannelMembership.scan())

    ChannelMembership("room", "kept", **ROW).save()
    ChannelMembership("room", "changed", **ROW).save()
    ChannelMembership("other", "kept", **ROW).save()
    before = members()
    with pytest.raises(TransactWriteError), TransactWrite(connection=shared_connection.connection()) as transaction:
        transaction.save(ChannelMembership("room", "new", **ROW))
        transaction.delete(ChannelMembership("room", "kept"))
        transaction.update(ChannelMembership("room", "changed"), actions=[ChannelMembership.user_id.set("2")])
        transaction.delete(ChannelMembership("other", "kept"), condition=ChannelMembership.user_id == "nobody")
    assert members() == before
    assert ChannelMembership.get("room", "changed").user_id == "1"
    assert "__deepcopy__" not in vars(Table)


@pytest.mark.moto("it looks into moto's tables")
def test_only_what_the_transaction_names_is_copied(ws_tables, monkeypatch):
    copied = []
    monkeypatch.setattr(Item, "__deepcopy__", lambda item, memo: copied.append(item) or item)
    for number in range(50):
        ChannelMembership("a", str(number), **ROW).save()
    copied.clear()
    with TransactWrite(connection=shared_connection.connection()) as transaction:
        transaction.save(ChannelMembership("a", "7", **ROW))
        transaction.delete(ChannelMembership("a", "8"))
    assert {one.range_key.value for one in copied} == {"7", "8"}
