"""Closing who is gone does not hold up sending: it is done by a thread of its own, and over before the worker is."""

import threading
from typing import Any

import pytest

from tests.flows.fanout.conftest import Gateway, job, join
from ws_lambda import delivery, fanout
from ws_lambda.delivery import rounds
from ws_lambda.delivery.job_rows import register
from ws_lambda.models import ChannelMembership, closer


@pytest.fixture
def room(sqs: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(rounds, "PROGRESS_EVERY", 10)
    ids = sorted(join(100))
    gateway.gone = set(ids[:30])
    register([job()])
    return ids


def test_the_rest_is_sent_to_while_closing_hangs(
    room: list[str], gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, released, threads = closer.close_gone, threading.Event(), set[str]()

    def hanging(*args: Any, **kwargs: Any) -> int:
        threads.add(threading.current_thread().name)
        assert released.wait(30), "nobody was sent to meanwhile"
        return close(*args, **kwargs)

    monkeypatch.setattr(closer, "close_gone", hanging)
    gateway.after = lambda count: released.set() if count == 70 else None

    fanout.work_off(job(), lambda _seconds: None)

    assert threads == {"ws-closer"}
    assert {row.connection_id for row in ChannelMembership.query("general")} == set(room[30:])


def test_what_cannot_be_closed_is_logged_and_harms_nobody(
    room: list[str], gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_args: Any, **_kwargs: Any) -> int:
        raise delivery.DeliveryError("DynamoDB is away")

    monkeypatch.setattr(closer, "close_gone", away)
    fanout.work_off(job(), lambda _seconds: None)

    assert gateway.delivered.total() == 70
    assert "DynamoDB is away" in caplog.text


def test_it_is_waited_for_until_a_second_after_the_deadline(
    room: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    never = threading.Event()
    monkeypatch.setattr(closer, "close_gone", lambda *_args, **_kwargs: never.wait(60))
    one = closer.Closer()
    try:
        with delivery.deadline(0):
            one.close([delivery.Recipient("a=", "", 1)])
            one.wait()
    finally:
        never.set()
    assert "no time to close" in caplog.text
