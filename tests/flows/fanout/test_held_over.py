"""Recipients that are not open yet, where there is a queue: the message waits there for them."""

from typing import Any

import pytest

from tests.flows.fanout.conftest import ENDPOINT, Gateway, events, job
from ws_lambda import clock, delivery, fanout
from ws_lambda.delivery import YOUNG_SECONDS, grace_period, job_queue
from ws_lambda.delivery.job_rows import register
from ws_lambda.models import ChannelMembership, FanoutJob, WebSocketSession
from ws_lambda.models.closing import close_session
from ws_lambda.tables.attributes import from_milliseconds
from ws_lambda.testing import LambdaContext


@pytest.fixture
def sent(sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was put on the queue: how long it is hidden, and the job. moto does not wait."""
    monkeypatch.setattr(grace_period, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(gateway, "grace_period", 0.05, raising=False)
    grace_period.forget()
    send, seen = sqs.send_message_batch, list[Any]()

    def sending(**asked: Any) -> Any:
        seen.extend(entry.pop("DelaySeconds", 0) for entry in asked["Entries"])
        return send(**asked)

    monkeypatch.setattr(sqs, "send_message_batch", sending)
    return seen


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, moved by hand."""
    now = [float(int(clock.now()))]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    return now


def connect(connection_id: str, seconds_ago: float) -> None:
    began = from_milliseconds(int((clock.now() - seconds_ago) * 1000))
    common: dict[str, Any] = {"endpoint_url": ENDPOINT, "api_id": "abc123", "connected_at": began}
    ends = clock.utcnow()
    WebSocketSession(
        connection_id, channels={"general"}, live_shard="0", last_seen_at=began, expires_at=ends, **common
    ).save()
    ChannelMembership("general", connection_id, joined_at=began, expires_at=ends, **common).save()


def open_sessions() -> set[str]:
    return {row.connection_id for row in WebSocketSession.scan() if row.connected}


def say(text: str = "x") -> delivery.DeliveryReport:
    return WebSocketSession.objects.filter(channel_name="general").send_message(text)


def test_the_queue_delivers_when_it_has_opened(
    sqs: Any, gateway: Gateway, sent: list[Any], moment: list[float]
) -> None:
    connect("new=", 4)
    connect("old=", 600)
    gateway.gone = {"new="}

    report = say()

    assert (report.sent, report.held_over, report.failed, report.queued) == (1, ("new=",), (), 0)
    assert sent == [4], "the pauses grow with age"
    gateway.gone = set()
    moment[0] += 4
    for event in events(sqs):
        assert fanout.handle(event, LambdaContext(seconds=60)) == {"batchItemFailures": []}
    assert gateway.delivered == {"old=": 1, "new=": 1}


def test_one_that_never_opens_is_gone_when_it_is_old(
    sqs: Any, gateway: Gateway, sent: list[Any], moment: list[float]
) -> None:
    connect("left=", 2)
    gateway.gone = {"left="}
    say()

    while batch := events(sqs):
        assert open_sessions() == {"left="}
        moment[0] += sent[-1]
        for event in batch:
            assert fanout.handle(event, LambdaContext(seconds=60)) == {"batchItemFailures": []}

    assert sum(sent) >= YOUNG_SECONDS - 2
    assert len(sent) <= 7
    assert not open_sessions()
    assert not list(ChannelMembership.query("general"))


def test_whose_session_has_ended_meanwhile_is_not_asked(
    sqs: Any, gateway: Gateway, sent: list[Any], moment: list[float]
) -> None:
    """A message must not be brought to somebody who has been put out since."""
    connect("out=", 2)
    connect("new=", 2)
    gateway.gone = {"out=", "new="}
    say()
    gateway.gone = set()
    close_session("out=")

    for event in events(sqs):
        fanout.handle(event, LambdaContext(seconds=60))

    assert gateway.delivered == {"new=": 1}


def test_a_worker_holds_over_too(sqs: Any, gateway: Gateway, sent: list[Any], moment: list[float]) -> None:
    for number in range(5):
        connect(f"new{number}=", 3)
    for number in range(15):
        connect(f"old{number}=", 600)
    gateway.gone = {f"new{number}=" for number in range(5)}
    register([job()])

    fanout.work_off(job(), lambda _seconds: None)

    assert gateway.delivered.total() == 15
    assert len(open_sessions()) == 20
    row = FanoutJob.get("b.0")
    assert (row.finished, int(row.sent), int(row.gone), int(row.failed)) == (True, 15, 0, 0)
    gateway.gone = set()
    (event,) = events(sqs)
    assert sent == [3]
    fanout.handle(event, LambdaContext(seconds=60))
    assert gateway.delivered.total() == 20 and set(gateway.delivered.values()) == {1}


def test_a_queue_that_does_not_take_it_makes_them_failures(
    sqs: Any, gateway: Gateway, sent: list[Any], moment: list[float]
) -> None:
    connect("new=", 1)
    gateway.gone = {"new="}
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="fanout")["QueueUrl"])

    report = say()

    assert (report.held_over, [one.reason for one in report.failed]) == ((), [delivery.NOT_OPEN_YET])


def test_without_a_queue_they_are_failures(gateway: Gateway, settings: Any, moment: list[float]) -> None:
    gateway.grace_period = 0.0  # type: ignore[attr-defined]
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": ""}
    connect("new=", 1)
    gateway.gone = {"new="}

    report = say()

    assert (report.held_over, [one.reason for one in report.failed]) == ((), [delivery.NOT_OPEN_YET])
    assert open_sessions() == {"new="}


@pytest.mark.parametrize(("age", "delay"), [(-3, 1), (0, 1), (2, 2), (10, 10), (20, 15), (34.5, 1)])
def test_the_delay(age: float, delay: int, moment: list[float]) -> None:
    at = int((clock.now() - age) * 1000)
    assert job_queue._delay([delivery.Recipient("c=", ENDPOINT, at)]) in (delay, delay + 1)
