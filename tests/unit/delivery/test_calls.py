"""Many writes to DynamoDB at once, and their outcome at the deadline."""

import time
from typing import Any

import pytest

from ws_lambda import delivery
from ws_lambda.delivery.calls import Calls
from ws_lambda.local.dynamodb_faults import DynamoDBFaults
from ws_lambda.models import RateLimit

pytestmark = pytest.mark.usefixtures("ws_tables")


def a_write() -> delivery.Call:
    key = {"scope": {"S": "test"}, "window": {"S": "-"}}
    return delivery.Call("PutItem", {"TableName": RateLimit.Meta.table_name, "Item": key})


def test_a_few_that_are_throttled_end_soon_after_the_deadline(
    ws_dynamodb_faults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ws_lambda.retrying.random.uniform", lambda _least, most: most)
    ws_dynamodb_faults.faults = DynamoDBFaults(throttle=1)
    few = [a_write() for _ in range(3)]
    began = time.monotonic()
    with delivery.deadline(0.2):
        delivery.call_all(few)
    assert time.monotonic() - began < 5, "eight pauses are 25 seconds"
    assert {call.error for call in few} == {"ProvisionedThroughputExceededException"}


def test_retries_that_were_waiting_when_a_round_broke_off_are_made() -> None:
    calling, call = Calls(), a_write()
    calling._again.append((time.monotonic() + 60, call))
    calling.run()
    assert call.answer is not None
