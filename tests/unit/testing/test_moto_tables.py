"""Tables that are copied into moto are those that moto itself makes."""

import pytest
from moto import mock_aws

from ws_lambda.models import ALL_TABLES, ChannelPermission
from ws_lambda.tables import shared_connection
from ws_lambda.testing import moto_tables
from ws_lambda.users.user_row import UserRow

TABLES = [*ALL_TABLES, UserRow]


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    yield
    shared_connection.forget_connection()


def told(make):
    """What moto says of each table, in a DynamoDB of its own."""
    with mock_aws():
        shared_connection.forget_connection()
        make()
        return [_without_what_differs(table) for table in TABLES]


def _without_what_differs(table):
    description = {**table.describe_table(), "CreationDateTime": None}
    expiry = shared_connection.connection().client.describe_time_to_live(TableName=table.Meta.table_name)
    return description, expiry["TimeToLiveDescription"]


def by_the_api():
    for table in TABLES:
        table.create_table(billing_mode="PAY_PER_REQUEST")


def test_they_are_the_same_the_first_time_and_later():
    plain = told(by_the_api)
    assert told(lambda: moto_tables.create(TABLES)) == plain
    assert told(lambda: moto_tables.create(TABLES)) == plain


def test_what_one_holds_is_not_in_the_next():
    for _time in range(2):
        with mock_aws():
            shared_connection.forget_connection()
            moto_tables.create(TABLES)
            assert not list(ChannelPermission.scan())
            ChannelPermission("a", access="allow_all").save()


def test_a_table_that_is_there_is_left_as_it_is():
    with mock_aws():
        shared_connection.forget_connection()
        moto_tables.create(TABLES)
        ChannelPermission("a", access="allow_all").save()
        moto_tables.create(TABLES)
        assert [row.channel_name for row in ChannelPermission.scan()] == ["a"]
