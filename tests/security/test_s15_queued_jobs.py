"""S15: the right to put messages on the queue is not enough to make the function post anything."""

import dataclasses
import json
from typing import Any

import pytest

from tests.flows.fanout.conftest import ENDPOINT, Gateway, events, gateway, job, join, sqs  # noqa: F401
from ws_lambda import aws, delivery, fanout
from ws_lambda.conf import conf
from ws_lambda.delivery import job_queue
from ws_lambda.delivery.job_rows import register
from ws_lambda.delivery.jobs import Job
from ws_lambda.models import FanoutJob
from ws_lambda.models.fanout_jobs import JobRefused
from ws_lambda.testing import LambdaContext


def put(text: str) -> None:
    """What somebody with `sqs:SendMessage` can do."""
    aws.client("sqs").send_message(QueueUrl=conf.FANOUT_QUEUE_URL, MessageBody=text)


def work_off_everything(sqs: Any) -> list[Any]:  # noqa: F811
    return [fanout.handle(event, LambdaContext(seconds=60))["batchItemFailures"] for event in events(sqs)]


def test_a_job_that_no_sender_wrote_down_is_sent_to_nobody(
    sqs: Any,  # noqa: F811
    gateway: Gateway,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    join(20)
    elsewhere = delivery.Recipient("victim=", ENDPOINT, 1)
    for forged in (job(job_id="forged.0"), job(job_id="forged.1", part=None, listed=(elsewhere,))):
        put(forged.to_json())

    assert [len(failures) for failures in work_off_everything(sqs)] == [1, 1]

    assert not gateway.delivered
    assert [record.levelname for record in caplog.records if "no row" in record.message] == ["ERROR", "ERROR"]
    assert not list(FanoutJob.scan()), "and it does not make a row"


CHANGES: list[dict[str, Any]] = [
    {"body": b"y"},
    {"pieces": 2},
    {"not_after": 99_999_999_999},
    {"held_over": True},
    {"part": None, "listed": (delivery.Recipient("victim=", ENDPOINT, 1),)},
    {"part": dataclasses.replace(job().part, partition="other")},  # type: ignore[type-var]
    {"part": dataclasses.replace(job().part, upto="F5")},  # type: ignore[type-var]
]


@pytest.mark.parametrize("changed", CHANGES, ids=lambda changed: "-".join(changed))
def test_a_job_that_is_not_what_its_sender_queued_is_refused(
    sqs: Any,  # noqa: F811
    gateway: Gateway,  # noqa: F811
    changed: dict[str, Any],
) -> None:
    join(20)
    join(20, "other")
    register([job()])

    with pytest.raises(JobRefused, match="differs from what its sender queued"):
        fanout.work_off(job(**changed), lambda _seconds: None)

    assert not gateway.delivered
    fanout.work_off(job(), lambda _seconds: None)
    assert gateway.delivered.total() == 20, "the real one is none the worse for it"


def test_a_finished_job_is_not_sent_again_by_another_one_of_its_name(sqs: Any, gateway: Gateway) -> None:  # noqa: F811
    join(20)
    register([job()])
    fanout.work_off(job(), lambda _seconds: None)

    with pytest.raises(JobRefused):
        fanout.work_off(job(body=b"again"), lambda _seconds: None)

    assert gateway.bodies == {b"x"}


def test_the_row_is_there_before_the_job_is_queued(
    sqs: Any,  # noqa: F811
    gateway: Gateway,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a quick worker would refuse it."""
    send, seen = sqs.send_message_batch, list[bool]()

    def sending(**asked: Any) -> Any:
        jobs = [Job.from_json(entry["MessageBody"]) for entry in asked["Entries"]]
        rows = {row.job_id: row.digest for row in FanoutJob.scan()}
        seen.extend(rows[one.job_id] == one.digest for one in jobs)
        return send(**asked)

    monkeypatch.setattr(sqs, "send_message_batch", sending)
    join(60)
    assert delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None).queued == len(seen) == 3
    assert all(seen)


def test_rows_are_written_25_at_a_time(
    sqs: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, rows = aws.client("dynamodb"), list[int]()
    write = client.batch_write_item

    def writing(**asked: Any) -> Any:
        rows.append(sum(map(len, asked["RequestItems"].values())))
        return write(**asked)

    monkeypatch.setattr(client, "batch_write_item", writing)
    assert job_queue.enqueue(job(job_id=f"b.{number}") for number in range(60)) == 60
    assert rows == [25, 25, 10]
    assert {row.job_id for row in FanoutJob.scan()} == {f"b.{number}" for number in range(60)}


def test_a_digest_is_of_what_the_job_says_not_of_how_it_is_written(sqs: Any) -> None:  # noqa: F811
    text = json.dumps(json.loads(job().to_json()), indent=2)
    assert Job.from_json(text).digest == job().digest
