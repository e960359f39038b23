"""If a stored checkpoint does not fit, the scan begins again and logs a warning."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import everybodys_turn, members, open_ids, open_one
from ws_lambda import aws, clock, housekeeping
from ws_lambda.housekeeping import round_robin
from ws_lambda.models import cursors
from ws_lambda.tables import shared_connection

pytestmark = pytest.mark.usefixtures("ws_tables")

LIVE = {"live_shard": {"S": "2"}, "connected_at": {"N": "1"}, "connection_id": {"S": "x"}}
MEMBER = {"channel": {"S": "a"}, "connection_id": {"S": "x"}}

OTHERS: list[Any] = [
    {"step": "2", "key": {"connection_id": {"S": "x"}, "live_shard": {"S": "2"}}},
    {"step": "no such step", "key": {"x": {"S": "y"}}},
    {"done": "yesterday"},
    {"walk": []},
    {"walk": {"step": "open 2"}},
    {"began": 7, "walk": "?"},
]
"""What this version does not write: the first is what the one before it did."""

KEYS: list[tuple[str, Any]] = [
    ("open 2", {"connection_id": {"S": "x"}}),
    ("open 2", MEMBER),
    ("open 2", {**LIVE, "live_shard": {"S": "1"}}),
    ("open 2", {**LIVE, "connected_at": {"S": "1"}}),
    ("open 2", {**LIVE, "connected_at": {"N": "one"}}),
    ("open 2", {**LIVE, "connection_id": {"S": ""}}),
    ("open 2", {**LIVE, "connection_id": "x"}),
    ("open 2", [1]),
    ("memberships", LIVE),
    ("memberships", {**MEMBER, "more": {"S": "x"}}),
    ("memberships", {"channel": {"S": 5}, "connection_id": {"S": "x"}}),
]
"""Keys of another schema, of another partition, of another type: what DynamoDB refuses to start after."""


def everyone() -> dict[str, int]:
    now = round_robin.turn_at(clock.now())
    return {"first": now - round_robin.TURNS + 1, "last": now}


@pytest.mark.parametrize("position", OTHERS)
@pytest.mark.parametrize("name", ["prune", "prune whole"])
def test_a_position_of_another_shape_is_none(far_side: FarSide, name: str, position: Any) -> None:
    for number in range(3):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    cursors.write(name, position)
    pruned = housekeeping.run(whole=name == "prune whole")
    assert pruned.complete
    if name == "prune whole":
        assert pruned.gone == 3
    else:
        everybodys_turn()
        assert housekeeping.run(whole=False).gone + pruned.gone == 3
    assert open_ids() == members() == set()


@pytest.mark.parametrize(("step", "key"), KEYS)
def test_a_key_of_another_shape_is_none(
    far_side: FarSide, caplog: pytest.LogCaptureFixture, step: str, key: Any
) -> None:
    for number in range(8):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    cursors.write("prune whole", {"walk": {**everyone(), "step": step, "key": key}})
    assert housekeeping.run().complete
    assert "stored key" in caplog.text
    assert housekeeping.run().complete
    assert open_ids() == members() == set()


def test_a_key_that_dynamodb_refuses_all_the_same_is_none(far_side: FarSide, caplog: pytest.LogCaptureFixture) -> None:
    """AWS alone knows all of its reasons: its refusal is acted out, in the form that it has."""

    def refuse(params: Any, **_kwargs: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if "ExclusiveStartKey" not in json.loads(params["body"]):
            return None
        error = {"Code": "ValidationException", "Message": "The provided starting key is invalid"}
        said = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RetryAttempts": 0}}
        return AWSResponse(params["url"], 400, {}, None), said

    open_one(far_side, "idle=", age=timedelta(minutes=30))
    key = {**LIVE, "live_shard": {"S": "0"}}
    cursors.write("prune whole", {"walk": {**everyone(), "step": "open 0", "key": key}})
    aws.session().register("before-call.dynamodb.Query", refuse)
    try:
        shared_connection.forget_connection()
        assert housekeeping.run().gone == 1
    finally:
        aws.session().unregister("before-call.dynamodb.Query", refuse)
    assert "begins again" in caplog.text
