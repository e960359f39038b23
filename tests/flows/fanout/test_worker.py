"""The worker of queued broadcasts: where it goes on, what it leaves to others, and what it gives up."""

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.flows.fanout.conftest import ENDPOINT, Gateway, events, job, join
from ws_lambda import clock, delivery, fanout
from ws_lambda.deadlines import MARGIN
from ws_lambda.delivery import dispatch, job_queue
from ws_lambda.delivery.job_rows import register
from ws_lambda.exceptions import DeliveryError
from ws_lambda.fanout import job_progress
from ws_lambda.models import ChannelMembership, FanoutJob
from ws_lambda.models.fanout_jobs import JobBusy
from ws_lambda.testing import LambdaContext


def hide(_seconds: float) -> None:
    """A message whose visibility is of no interest here."""


def test_a_job_without_time_left_goes_on_in_the_next_invocation(
    sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = join(60)
    job_queue.enqueue([job()])
    moment = [0.0]
    monkeypatch.setattr("ws_lambda.delivery.dispatch.time.monotonic", lambda: moment[0])
    gateway.after = lambda count: moment.__setitem__(0, float(count))  # a second each
    invocations = 0

    while batch := events(sqs):
        invocations += 1
        assert fanout.handle(batch[0], LambdaContext(seconds=MARGIN + 25)) == {"batchItemFailures": []}

    assert gateway.delivered == Counter(ids)
    assert invocations == 3
    (row,) = FanoutJob.scan()
    assert (row.finished, int(row.sent)) == (True, 60)


def test_a_function_with_no_time_to_send_fails_instead_of_going_round(sqs: Any, gateway: Gateway) -> None:
    job_queue.enqueue([job()])
    (event,) = events(sqs)

    with pytest.raises(DeliveryError, match="longer timeout"):
        fanout.handle(event, LambdaContext(seconds=MARGIN))

    assert not events(sqs)


def test_pending_recipients_of_a_killed_worker_are_sent_to_first(sqs: Any, gateway: Gateway) -> None:
    ids = sorted(join(30))
    register([job()])
    row = FanoutJob.claim(job(), 30)
    assert row is not None
    left = [delivery.Recipient(one, ENDPOINT, 1) for one in ids[3:5]]
    row.checkpoint(after=ids[9], pending=left, counts=(8, 0, 0), seconds=0)

    fanout.work_off(job(), hide)

    assert list(gateway.delivered) == [*ids[3:5], *ids[10:]]
    assert int(next(iter(FanoutJob.scan())).sent) == 30


def test_a_list_is_resumed_where_its_last_checkpoint_was(
    sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place is a number, counted from where this worker began, not from the checkpoint before."""
    monkeypatch.setattr(dispatch, "PROGRESS_EVERY", 10)
    listed = tuple(delivery.Recipient(f"L{number:03}=", ENDPOINT, 1) for number in range(100))
    one = job(part=None, listed=listed)
    register([one])

    def die_at(counts: set[int]) -> Any:
        def after(count: int) -> None:
            if count in counts:
                raise KeyboardInterrupt

        return after

    gateway.after = die_at({35, 75})
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fanout.work_off(one, hide)
    fanout.work_off(one, hide)

    assert set(gateway.delivered) == {recipient.connection_id for recipient in listed}
    assert gateway.delivered.total() <= 100 + 2 * 10


@pytest.mark.usefixtures("still")
def test_a_job_in_work_is_left_alone_and_its_message_hidden(sqs: Any, gateway: Gateway) -> None:
    join(30)
    job_queue.enqueue([job()])
    (event,) = events(sqs)
    holder = FanoutJob.claim(job(), 30)

    failures = fanout.handle(event, LambdaContext(seconds=60))["batchItemFailures"]

    assert failures == [{"itemIdentifier": event["Records"][0]["messageId"]}]
    assert not gateway.delivered
    with pytest.raises(JobBusy) as busy:
        FanoutJob.claim(job(), 30)
    assert busy.value.seconds == 30
    assert holder is not None


def test_a_message_is_hidden_for_as_long_as_the_lease_before_anything_is_sent(sqs: Any, gateway: Gateway) -> None:
    """A worker killed before its first checkpoint would otherwise be waited for by the queue's own timeout."""
    join(20)
    hidden: list[float] = []
    seen: list[list[float]] = []
    gateway.after = lambda count: seen.append(list(hidden))

    register([job()])
    fanout.work_off(job(), hidden.append)

    assert seen[0] == [job_progress.LEASE]


def test_a_message_that_cannot_be_hidden_is_worked_off_all_the_same(
    sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(**_asked: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs.eu-west-1.amazonaws.com")

    ids = join(60)
    monkeypatch.setattr(dispatch, "PROGRESS_EVERY", 10)
    job_queue.enqueue([job()])
    (event,) = events(sqs)
    monkeypatch.setattr(sqs, "change_message_visibility", unreachable)

    assert fanout.handle(event, LambdaContext(seconds=60)) == {"batchItemFailures": []}
    assert gateway.delivered == Counter(ids)
    assert "visibility timeout of a message could not be changed" in caplog.text


def test_a_worker_that_lost_its_job_stops(sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    join(60)
    monkeypatch.setattr(dispatch, "PROGRESS_EVERY", 10)
    monkeypatch.setattr(job_progress, "LEASE", 0.0001)
    job_queue.enqueue([job()])
    (event,) = events(sqs)
    taken: list[Any] = []
    gateway.after = lambda count: taken.append(FanoutJob.claim(job(), 30)) if count == 15 else None

    assert fanout.handle(event, LambdaContext(seconds=60))["batchItemFailures"]

    assert gateway.delivered.total() == 20
    assert taken[0].worker == next(iter(FanoutJob.scan())).worker


def test_a_gone_connection_is_closed_in_that_generation(sqs: Any, gateway: Gateway) -> None:
    ids = sorted(join(30))
    gateway.gone = {ids[3], ids[7]}
    register([job()])

    fanout.work_off(job(), hide)

    assert {row.connection_id for row in ChannelMembership.query("general")} == set(ids) - gateway.gone
    row = next(iter(FanoutJob.scan()))
    assert (int(row.sent), int(row.gone)) == (28, 2)


@pytest.mark.parametrize("body", ["", "no JSON", "{}", '{"ws_lambda_fanout": 99}', "[1]"])
def test_an_invalid_job_goes_back_until_it_is_dead_lettered(sqs: Any, body: str) -> None:
    record = {"messageId": "m1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs"}

    assert fanout.handle({"Records": [record]}, LambdaContext(seconds=60)) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }


def test_a_job_that_is_too_old_is_not_sent(sqs: Any, gateway: Gateway) -> None:
    join(20)

    with pytest.raises(DeliveryError, match="too old"):
        fanout.work_off(job(not_after=int(clock.now()) - 1), hide)

    assert not gateway.delivered
