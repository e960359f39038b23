"""A job whose stored position no longer fits begins again. A message that is not a job is refused, with the reason."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.flows.fanout.conftest import ENDPOINT, Gateway, events, job, join
from ws_lambda import aws, delivery, fanout
from ws_lambda.delivery import job_queue
from ws_lambda.delivery.job_rows import register
from ws_lambda.delivery.jobs import Job
from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.models import FanoutJob
from ws_lambda.models.fanout_jobs import JobRefused
from ws_lambda.testing import LambdaContext

LISTED = tuple(delivery.Recipient(f"L{number}=", ENDPOINT, 1) for number in range(5))


def hide(_seconds: float) -> None:
    """A message whose visibility is of no interest here."""


def store(one: Job, **fields: Any) -> None:
    """A row as another version may have left it."""
    register([one])
    names = {f"#{name}": name for name in fields}
    aws.client("dynamodb").update_item(
        TableName=FanoutJob.Meta.table_name,
        Key={"job_id": {"S": one.job_id}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in fields),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{name}": value for name, value in fields.items()},
    )


@pytest.mark.parametrize("after", ["x", "-1", "6", "1.5", "\u0663", "1700000000000:L1=", "9" * 5000])
def test_a_list_whose_position_is_no_number_of_it_begins_anew(
    sqs: Any, gateway: Gateway, caplog: pytest.LogCaptureFixture, after: str
) -> None:
    one = job(part=None, listed=LISTED)
    store(one, after={"S": after})
    fanout.work_off(one, hide)
    assert gateway.delivered == Counter({recipient.connection_id: 1 for recipient in LISTED})
    assert "begins again" in caplog.text


@pytest.mark.parametrize("after", ["x" * 1025, "F0"])
def test_a_channel_whose_position_is_outside_the_part_begins_anew(sqs: Any, gateway: Gateway, after: str) -> None:
    """DynamoDB refuses to start after a key that is outside of what is asked for."""
    ids = sorted(join(30))
    one = job(part=KeyRange("channel", "general", after=ids[9], upto=ids[19]))
    store(one, after={"S": after})
    fanout.work_off(one, hide)
    assert sorted(gateway.delivered) == ids[10:20]


def test_a_channel_whose_position_is_behind_the_part_begins_anew(sqs: Any, gateway: Gateway) -> None:
    ids = sorted(join(30))
    one = job(part=KeyRange("channel", "general", upto=ids[19]))
    store(one, after={"S": ids[25]})
    fanout.work_off(one, hide)
    assert sorted(gateway.delivered) == ids[:20]


@pytest.mark.parametrize("after", ["L1=", "soon:L1=", "-5:L1=", "17:", ":L1=", "9" * 39 + ":L1="])
def test_the_index_of_everyone_has_positions_of_its_own(sqs: Any, gateway: Gateway, after: str) -> None:
    one = job(part=KeyRange("live", "0"))
    store(one, after={"S": after})
    fanout.work_off(one, hide)
    (row,) = FanoutJob.scan()
    assert row.finished


@pytest.mark.parametrize("pending", ["", "?", "5", "{}", '["L1="]', '[["L1="]]', '[["L1=", "x", "y"]]', "[" * 100_000])
def test_those_who_were_waiting_in_another_form_are_read_from_the_roster_again(
    sqs: Any, gateway: Gateway, pending: str
) -> None:
    one = job(part=None, listed=LISTED)
    store(one, after={"S": "3"}, pending={"S": pending})
    fanout.work_off(one, hide)
    assert gateway.delivered == Counter({recipient.connection_id: 1 for recipient in LISTED})


def test_a_position_that_fits_is_gone_on_from(sqs: Any, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    one = job(part=None, listed=LISTED)
    store(one, after={"S": "3"}, pending={"S": json.dumps([LISTED[0]])})
    fanout.work_off(one, hide)
    assert list(gateway.delivered) == ["L0=", "L3=", "L4="]
    assert "begins again" not in caplog.text


def test_a_row_whose_fields_are_of_other_types_is_refused(sqs: Any, gateway: Gateway) -> None:
    one = job(part=None, listed=LISTED)
    store(one, after={"N": "3"})
    with pytest.raises(JobRefused, match="cannot be read"):
        fanout.work_off(one, hide)
    assert not gateway.delivered


WRONG: list[dict[str, Any]] = [
    {"part": {"kind": "planet", "partition": "general"}},
    {"part": {"kind": "channel", "partition": 5}},
    {"part": {"kind": "channel", "partition": "general", "after": ["x"]}},
    {"part": {"kind": "live", "partition": "0", "after": "L1="}},
    {"part": {"kind": "channel", "partition": "general", "upto": None}},
    {"part": [1]},
    {"part": {"kind": "channel", "partition": "general", "colour": "red"}},
    {"part": None, "listed": {"a": 1}},
    {"part": None, "listed": ["L1="]},
    {"part": None, "listed": [["L1=", ENDPOINT, "soon"]]},
    {"pieces": 0},
    {"pieces": 1e400},
    {"job_id": 7},
    {"job_id": ""},
]


@pytest.mark.parametrize("changed", WRONG)
def test_an_invalid_job_goes_back_alone_and_is_logged(
    sqs: Any, gateway: Gateway, caplog: pytest.LogCaptureFixture, changed: dict[str, Any]
) -> None:
    ids = join(5)
    job_queue.enqueue([job()])
    (event,) = events(sqs)
    good = event["Records"][0]
    bad = {**good, "messageId": "bad", "body": json.dumps(json.loads(job(job_id="b.9").to_json()) | changed)}
    failures = fanout.handle({"Records": [bad, good]}, LambdaContext(seconds=60))["batchItemFailures"]
    assert failures == [{"itemIdentifier": "bad"}]
    assert gateway.delivered == Counter(ids)
    assert "This is not a fan-out job" in caplog.text
