"""Faults of the network between a test and DynamoDB."""

import pytest
from botocore.exceptions import ConnectionClosedError

from ws_lambda.tables.rate_limits import RateLimit
from ws_lambda.testing import DynamoDBFaults, dynamodb_faults, tables


def test_lost_answers_are_asked_for_again():
    with tables():
        with dynamodb_faults(DynamoDBFaults(cut=0.5), seed=2) as proxy:
            for _ in range(8):
                RateLimit.of("scope").save()
            assert proxy.seen["PutItem", "cut"] > 0
            assert proxy.seen["PutItem", ""] == 8
        assert RateLimit.count("scope") == 1  # the tables are those of the block around


def test_all_answers_lost_is_an_error_of_the_network(ws_dynamodb_faults):
    ws_dynamodb_faults.faults = DynamoDBFaults(cut=1)
    with pytest.raises(Exception, match="Connection was closed") as lost:
        RateLimit.of("scope").save()
    assert isinstance(lost.value.cause, ConnectionClosedError)
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert RateLimit.count("scope") == 1


def test_views_meet_it(ws_dynamodb_faults, ws_client, user):
    ws = ws_client(user=user, channel="general")
    ws_dynamodb_faults.faults = DynamoDBFaults(throttle=1)
    ws.send_json({"action": "ping"})
    assert ws.receive_json()["message"] == "Internal server error"
