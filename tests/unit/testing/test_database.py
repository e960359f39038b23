"""DynamoDB for tests."""

from datetime import UTC, datetime

import pytest
from moto.dynamodb.models.dynamo_type import Item
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from tests import dynamodb_server
from ws_lambda.models import ChannelMembership, WebSocketSession, all_tables
from ws_lambda.tables import shared_connection
from ws_lambda.testing import tables

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
