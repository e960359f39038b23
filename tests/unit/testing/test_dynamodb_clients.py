"""DynamoDB clients are kept from one test to the next, without any change that a test made to them."""

from ws_lambda import aws
from ws_lambda.tables.shared_connection import connection
from ws_lambda.testing import tables

EVENT = "before-call.dynamodb"


def seen():
    """The clients of the tables and of everyone else, in a block of their own."""
    with tables():
        return connection().client, aws.client("dynamodb")


def test_the_next_block_has_the_same_clients(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    before = seen()
    assert all(one is another for one, another in zip(seen(), before, strict=True))


def test_clients_that_a_test_listened_to_are_not_kept(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    heard = []
    with tables():
        before = connection().client
        before.meta.events.register(EVENT, lambda **_: heard.append("a request"))
    with tables():
        assert connection().client is not before
        connection().client.list_tables()
    assert heard == []


def test_another_region_has_other_clients(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    before = seen()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    with tables():
        assert connection().client is not before[0]
        assert aws.client("dynamodb").meta.region_name == "us-east-1"


def test_outside_a_block_nothing_is_left_of_them():
    with tables():
        inside = aws.client("dynamodb")
    assert aws._clients.get("dynamodb") is not inside
