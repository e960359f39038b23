"""A queued broadcast, from the send to the last recipient: sender, queue, worker, rows."""

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from ws_lambda import aws, clock, delivery, fanout
from ws_lambda.delivery import queue, rounds
from ws_lambda.delivery.jobs import LISTED_IN_A_JOB, Job
from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.exceptions import DeliveryError
from ws_lambda.models import ChannelMembership, FanoutJob, WebSocketSession
from ws_lambda.models.attributes import from_milliseconds
from ws_lambda.models.fanout_jobs import JobBusy

ENDPOINT = "https://abc123.execute-api.eu-west-1.amazonaws.com/production"


class Gateway:
    """Answers for `@connections` without a network."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        self.gone: set[str] = set()
        self.bodies: set[bytes] = set()
        self.after: Any = lambda _count: None

    def exchange(self, request: delivery.Request) -> delivery.Response:
        connection_id = request.context.recipient.connection_id
        if connection_id in self.gone:
            return delivery.Response(410)
        self.delivered[connection_id] += 1
        self.bodies.add(request.body)
        self.after(self.delivered.total())
        return delivery.Response(200)


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def gateway(tables: list[str]) -> Any:
    far = Gateway()
    with delivery.using_transport(far):
        yield far


@pytest.fixture
def sqs(gateway: Gateway, settings: Any) -> Any:
    """The client of an empty fan-out queue, and FANOUT_QUEUE_URL set to it."""
    client = aws.client("sqs")
    url = client.create_queue(QueueName="fanout", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": url, "FANOUT_INLINE_MAX": 10, "FANOUT_WORKERS": 3, "FANOUT_MAX_RPS": 0}
    return client


def join(count: int, channel: str = "general") -> list[str]:
    ids = [f"F{number * 7919 % 100_000:05}x=" for number in range(count)]
    with ChannelMembership.batch_write() as batch:
        for connection_id in ids:
            batch.save(
                ChannelMembership(
                    channel,
                    connection_id,
                    endpoint_url=ENDPOINT,
                    api_id="abc123",
                    connected_at=from_milliseconds(1_700_000_000_000),
                    joined_at=clock.utcnow(),
                    expires_at=clock.utcnow(),
                )
            )
    return ids


def events(sqs: Any) -> list[dict[str, Any]]:
    """All messages of the queue, each as its own SQS event; they are deleted."""
    found = []
    from ws_lambda.conf import conf

    while messages := sqs.receive_message(QueueUrl=conf.FANOUT_QUEUE_URL, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            sqs.delete_message(QueueUrl=conf.FANOUT_QUEUE_URL, ReceiptHandle=one["ReceiptHandle"])
            record = {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "eventSource": "aws:sqs",
            }
            found.append({"Records": [record]})
    return found


def job(**changes: Any) -> Job:
    given: dict[str, Any] = {
        "job_id": "b.0",
        "body": b"x",
        "pieces": 1,
        "not_after": int(clock.now()) + 60,
        "part": KeyRange("channel", "general"),
    }
    return Job(**{**given, **changes})


def hide(_seconds: float) -> None:
    """A message whose visibility is of no interest here."""


def test_many_go_through_the_queue_in_key_ranges(sqs: Any, gateway: Gateway) -> None:
    ids = join(200)

    report = WebSocketSession.objects.filter(channel_name="general").send_message({"text": "héllo"})

    assert (report.sent, report.queued) == (0, 3)
    for event in events(sqs):
        assert fanout.handle(event, Context()) == {"batchItemFailures": []}
    assert gateway.delivered == Counter(ids)
    assert gateway.bodies == {b'{"text":"h\\u00e9llo"}'}
    assert {(row.finished, len(row.pending)) for row in FanoutJob.scan()} == {(True, 2)}
    assert sum(int(row.sent) for row in FanoutJob.scan()) == 200


def test_a_queue_that_is_not_there_is_a_delivery_error(sqs: Any, gateway: Gateway) -> None:
    join(200)
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="fanout")["QueueUrl"])

    with pytest.raises(DeliveryError, match="NonExistentQueue"):
        WebSocketSession.objects.filter(channel_name="general").send_message("x")


def test_few_do_not(sqs: Any, gateway: Gateway) -> None:
    join(10)

    report = WebSocketSession.objects.filter(channel_name="general").send_message("x")

    assert (report.sent, report.queued) == (10, 0)
    assert not events(sqs)


def test_a_long_list_goes_through_the_queue_too(sqs: Any, gateway: Gateway) -> None:
    listed = [delivery.Recipient(f"L{number}=", ENDPOINT, 1) for number in range(LISTED_IN_A_JOB * 2 + 5)]

    report = delivery.send(delivery.Listed(iter(listed)), "x" * 131_072, on_gone=lambda _gone: None)

    assert report.queued == 3
    for event in events(sqs):
        assert len(event["Records"][0]["body"].encode()) < 262_144
        fanout.handle(event, Context())
    assert gateway.delivered == Counter(one.connection_id for one in listed)


def test_a_message_that_comes_twice_sends_once(sqs: Any, gateway: Gateway) -> None:
    join(50)
    delivery.send(delivery.Channel("general"), "x", on_gone=lambda _gone: None)

    for event in events(sqs) * 2:
        assert fanout.handle(event, Context()) == {"batchItemFailures": []}

    assert set(gateway.delivered.values()) == {1}


def test_a_job_without_time_left_goes_on_in_the_next_invocation(
    sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = join(60)
    queue.enqueue([job()])
    moment = [0.0]
    monkeypatch.setattr("ws_lambda.delivery.rounds.time.monotonic", lambda: moment[0])
    gateway.after = lambda count: moment.__setitem__(0, float(count))  # a second each
    invocations = 0

    while batch := events(sqs):
        invocations += 1
        assert fanout.handle(batch[0], Context(fanout.MARGIN + 25)) == {"batchItemFailures": []}

    assert gateway.delivered == Counter(ids)
    assert invocations == 3
    (row,) = FanoutJob.scan()
    assert (row.finished, int(row.sent)) == (True, 60)


def test_a_function_with_no_time_to_send_fails_instead_of_going_round(sqs: Any, gateway: Gateway) -> None:
    queue.enqueue([job()])
    (event,) = events(sqs)

    with pytest.raises(DeliveryError, match="longer timeout"):
        fanout.handle(event, Context(fanout.MARGIN))

    assert not events(sqs)


def test_what_a_killed_worker_left_pending_is_sent_first(sqs: Any, gateway: Gateway) -> None:
    ids = sorted(join(30))
    row = FanoutJob.claim("b.0", 30)
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
    monkeypatch.setattr(rounds, "PROGRESS_EVERY", 10)
    listed = tuple(delivery.Recipient(f"L{number:03}=", ENDPOINT, 1) for number in range(100))
    one = job(part=None, listed=listed)

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


def test_a_job_in_work_is_left_alone_and_its_message_hidden(sqs: Any, gateway: Gateway) -> None:
    join(30)
    queue.enqueue([job()])
    (event,) = events(sqs)
    holder = FanoutJob.claim("b.0", 30)

    failures = fanout.handle(event, Context())["batchItemFailures"]

    assert failures == [{"itemIdentifier": event["Records"][0]["messageId"]}]
    assert not gateway.delivered
    with pytest.raises(JobBusy) as busy:
        FanoutJob.claim("b.0", 30)
    assert 25 < busy.value.seconds <= 30
    assert holder is not None


def test_a_message_that_cannot_be_hidden_is_worked_off_all_the_same(
    sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(**_asked: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs.eu-west-1.amazonaws.com")

    ids = join(60)
    monkeypatch.setattr(rounds, "PROGRESS_EVERY", 10)
    queue.enqueue([job()])
    (event,) = events(sqs)
    monkeypatch.setattr(sqs, "change_message_visibility", unreachable)

    assert fanout.handle(event, Context()) == {"batchItemFailures": []}
    assert gateway.delivered == Counter(ids)
    assert "visibility timeout stays" in caplog.text


def test_a_worker_that_lost_its_job_stops(sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    join(60)
    monkeypatch.setattr(rounds, "PROGRESS_EVERY", 10)
    monkeypatch.setattr(fanout, "LEASE", 0.0001)
    queue.enqueue([job()])
    (event,) = events(sqs)
    taken: list[Any] = []
    gateway.after = lambda count: taken.append(FanoutJob.claim("b.0", 30)) if count == 15 else None

    assert fanout.handle(event, Context())["batchItemFailures"]

    assert gateway.delivered.total() == 20
    assert taken[0].worker == next(iter(FanoutJob.scan())).worker


def test_who_is_gone_is_closed_in_that_generation(sqs: Any, gateway: Gateway) -> None:
    ids = sorted(join(30))
    gateway.gone = {ids[3], ids[7]}

    fanout.work_off(job(), hide)

    assert {row.connection_id for row in ChannelMembership.query("general")} == set(ids) - gateway.gone
    row = next(iter(FanoutJob.scan()))
    assert (int(row.sent), int(row.gone)) == (28, 2)


@pytest.mark.parametrize("body", ["", "no JSON", "{}", '{"ws_lambda_fanout": 99}', "[1]"])
def test_what_is_no_job_goes_back_until_it_is_dead(sqs: Any, body: str) -> None:
    record = {"messageId": "m1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs"}

    assert fanout.handle({"Records": [record]}, Context()) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_a_job_that_is_too_old_is_not_sent(sqs: Any, gateway: Gateway) -> None:
    join(20)

    with pytest.raises(DeliveryError, match="too old"):
        fanout.work_off(job(not_after=int(clock.now()) - 1), hide)

    assert not gateway.delivered


def test_everyone_by_the_queue(sqs: Any, gateway: Gateway) -> None:
    with WebSocketSession.batch_write() as batch:
        for number in range(40):
            batch.save(
                WebSocketSession(
                    f"E{number:03}=",
                    api_id="abc123",
                    endpoint_url=ENDPOINT,
                    live_shard=str(number % 4),
                    connected_at=clock.utcnow(),
                    last_seen_at=clock.utcnow(),
                    expires_at=clock.utcnow(),
                )
            )

    report = WebSocketSession.objects.filter(connected=True).send_message("x")

    assert report.queued == 4
    for event in events(sqs):
        fanout.handle(event, Context())
    assert set(gateway.delivered) == {f"E{number:03}=" for number in range(40)}
    assert set(gateway.delivered.values()) == {1}


def test_the_door_brings_queue_events_here(sqs: Any, gateway: Gateway) -> None:
    from ws_lambda.lambda_handler import handler

    ids = join(20)
    delivery.send(delivery.Channel("general"), "x", on_gone=lambda _gone: None)

    for event in events(sqs):
        event["Records"][0]["eventSourceARN"] = "arn:aws:sqs:eu-west-1:000000000000:fanout"
        assert handler(event, Context()) == {"batchItemFailures": []}

    assert gateway.delivered == Counter(ids)
