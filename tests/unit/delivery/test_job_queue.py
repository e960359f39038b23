"""Putting jobs on the queue: what SQS refuses is sent again, after a pause and within the deadline."""

from typing import Any

import pytest
from botocore.stub import Stubber

from ws_lambda import aws, delivery
from ws_lambda.delivery import job_queue
from ws_lambda.delivery.jobs import Job
from ws_lambda.exceptions import DeliveryError

QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/000000000000/fanout"
ONE = Job(job_id="b.0", body=b"x", pieces=1, not_after=2**40, listed=(delivery.Recipient("a=", "http://a/s", 1),))
TWO = Job(job_id="b.1", body=b"x", pieces=1, not_after=2**40, listed=(delivery.Recipient("b=", "http://a/s", 1),))
BUSY = {"Code": "InternalError", "Message": "busy", "SenderFault": False}


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": QUEUE_URL}
    monkeypatch.setattr(job_queue, "register", lambda jobs: None)
    client = aws.client("sqs")
    with Stubber(client) as stub:
        monkeypatch.setattr(aws, "client", lambda _service: client)
        yield stub


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made: half of what the policy allows at most. Time passes by them alone."""
    pauses: list[float] = []
    monkeypatch.setattr("ws_lambda.retrying.time.monotonic", lambda: 1000.0 + sum(pauses))
    monkeypatch.setattr("ws_lambda.retrying.time.sleep", pauses.append)
    monkeypatch.setattr("ws_lambda.retrying.random.uniform", lambda _least, most: most / 2)
    return pauses


def answers(sqs: Any, *refused: tuple[str, ...]) -> None:
    """SQS refuses the entries of these ids, one request after the other."""
    for ids in refused:
        sqs.add_response("send_message_batch", {"Successful": [], "Failed": [{"Id": one, **BUSY} for one in ids]})


def test_refused_entries_are_sent_again_after_a_pause(sqs: Any, slept: list[float]) -> None:
    answers(sqs, ("0", "1"), ("1",), ())
    assert job_queue.enqueue([ONE, TWO]) == 2
    sqs.assert_no_pending_responses()
    assert slept == pytest.approx([0.1, 0.2])


def test_three_refusals_are_enough(sqs: Any, slept: list[float]) -> None:
    answers(sqs, ("0",), ("0",), ("0",))
    with pytest.raises(DeliveryError, match="SQS did not accept 1 jobs: InternalError busy"):
        job_queue.enqueue([ONE])
    assert len(slept) == 2


def test_no_attempt_is_made_long_after_the_deadline(
    sqs: Any, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second is left for it: those who are not open yet are put on the queue when sending is over."""
    monkeypatch.setattr("ws_lambda.retrying.random.uniform", lambda _least, _most: 0.7)
    answers(sqs, ("0",), ("0",))
    with delivery.deadline(0), pytest.raises(DeliveryError, match="SQS did not accept"):
        job_queue.enqueue([ONE])
    assert slept == [pytest.approx(0.7)], "the next one would begin 1.4 seconds after the deadline"
