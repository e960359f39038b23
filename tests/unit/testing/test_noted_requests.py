"""A test sees which requests its code made to DynamoDB."""

from ws_lambda import aws
from ws_lambda.models import WebSocketSession
from ws_lambda.testing.noted_requests import noting_requests


def test_requests_are_noted_in_order(ws_requests):
    WebSocketSession.objects.filter(connection_id="nobody=").count()
    assert len(ws_requests) == 1
    ws_requests.clear()
    aws.client("dynamodb").list_tables()
    assert ws_requests == ["ListTables"]


def test_an_inner_block_has_a_list_of_its_own(ws_requests):
    with noting_requests() as inner:
        aws.client("dynamodb").list_tables()
    assert inner == ["ListTables"]
    assert ws_requests == []


def test_making_the_tables_is_not_noted(ws_requests):
    assert ws_requests == []
