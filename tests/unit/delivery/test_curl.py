"""The wire: kept connections, TLS, forks, pace, deadlines."""

import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.far_side import FarSide
from ws_lambda import aws, delivery
from ws_lambda.delivery import curl, dispatch, pacing
from ws_lambda.delivery.broadcasting import slots
from ws_lambda.delivery.exchange import Broken, Request, Response
from ws_lambda.delivery.outcomes import Recipient
from ws_lambda.delivery.slots import Slots
from ws_lambda.tables import shared_connection


class Ask:
    """Work of a few given requests."""

    def __init__(self, *requests: Request) -> None:
        self.left = list(requests)
        self.outcomes: list[Response | Broken] = []

    def next(self) -> Request | float | None:
        return self.left.pop(0) if self.left else None

    def finished(self, request: Request, outcome: Response | Broken) -> None:
        self.outcomes.append(outcome)


def ask(*requests: Request) -> list[Response | Broken]:
    work = Ask(*requests)
    with curl.borrowed() as pump:
        pump.run(work, Slots(8))
    return work.outcomes


def to(far: FarSide, count: int) -> list[Recipient]:
    return [Recipient(f"c{number}=", far.endpoint_url, 1) for number in range(count)]


def send(recipients: list[Recipient]) -> delivery.DeliveryReport:
    return delivery.send(delivery.Listed(recipients), "x", on_gone=lambda _gone: None)


def test_methods_and_bodies_do_not_stick_to_a_kept_handle(far: FarSide) -> None:
    url = far.endpoint_url + "/@connections/a"
    asked = [("POST", b"one"), ("GET", b""), ("DELETE", b""), ("POST", b"two"), ("GET", b"")]
    for method, body in asked:
        ask(Request(method, url, [("X-Test", method)], body))

    seen = [(method, headers["x-test"], body) for method, _, headers, body in far.requests]
    assert seen == [(method, method, body) for method, body in asked]
    assert far.connections == 1
    assert not any("content-type" in headers for _, _, headers, _ in far.requests)


def test_an_endless_answer_is_cut_off(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curl, "LARGEST_ANSWER", 10)

    (outcome,) = ask(Request("GET", far.endpoint_url + "/@connections/a", []))

    assert isinstance(outcome, Response) or "writing" in outcome.reason.lower()
    assert not isinstance(outcome, Response) or outcome.body == b""


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://127.0.0.1:1/x", "http://"])
def test_a_request_that_cannot_be_sent_is_an_unambiguous_failure(url: str) -> None:
    (outcome,) = ask(Request("POST", url, [], b"x", timeout=2))

    assert isinstance(outcome, Broken)
    assert not outcome.ambiguous


class FailingAtTheEnd(Ask):
    def finished(self, request: Request, outcome: Response | Broken) -> None:
        raise RuntimeError("the work is broken")


class FailingAtTheStart(Ask):
    def next(self) -> Request | float | None:
        if len(self.left) == 1:
            raise RuntimeError("the work is broken")
        return super().next()


@pytest.mark.parametrize("failing", [FailingAtTheEnd, FailingAtTheStart])
def test_slots_come_back_when_the_work_raises(far: FarSide, failing: type[Ask]) -> None:
    slots = Slots(3)
    url = far.endpoint_url + "/@connections/a"
    with curl.borrowed() as pump:
        with pytest.raises(RuntimeError):
            pump.run(failing(*(Request("POST", url, [], b"x") for _ in range(3))), slots)
        after = Ask(Request("POST", url, [], b"x"))
        pump.run(after, slots)

    assert isinstance(after.outcomes[0], Response)
    assert [slots.take() for _ in range(4)] == [True, True, True, False]


def test_connections_that_others_wait_on_hold_up_nobody(far: FarSide) -> None:
    shared = slots()
    while shared.take():
        pass
    try:
        with delivery.deadline(10):
            assert send(to(far, 20)).sent == 20
        assert not shared.take(), "none has been given back that was not taken"
    finally:
        for _ in range(shared.limit):
            shared.give()


def test_reading_with_few_slots_closes_no_connection_of_the_sender(far: FarSide) -> None:
    far.behave = lambda _id, _before: "late"
    url = far.endpoint_url + "/@connections/a"
    with curl.borrowed() as pump:
        for slots in (Slots(6), Slots(1), Slots(6)):
            pump.run(Ask(*(Request("POST", url, [], b"x") for _ in range(6))), slots)

    assert far.connections == 6


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_leaves_the_parents_connections_alone(far: FarSide) -> None:
    send(to(far, 1))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if send(to(far, 1)).sent == 1 else 2
        finally:
            os._exit(status)

    assert os.waitpid(child, 0)[1] == 0
    assert send(to(far, 1)).sent == 1
    assert far.connections == 2  # one of the parent, still in use, and one of the child


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_while_others_send_is_not_held_up(far: FarSide) -> None:
    """What other threads of the parent hold, slots and locks, nobody in the child would ever give back."""
    send(to(far, 1))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        shared = slots()
        while shared.take():
            pass
        bucket = pacing.shared()
        assert isinstance(bucket, pacing.TokenBucket)
        with aws._lock, shared_connection._lock, curl._lock, bucket._lock, pacing._lock:
            held.set()
            done.wait(120)
        for _ in range(shared.limit):
            shared.give()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(60)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        status = 1
        try:
            aws.client("sqs")
            shared_connection.connection()
            status = 0 if slots().take() and send(to(far, 1)).sent == 1 else 2
        finally:
            os._exit(status)
    ended = os.waitpid(child, 0)[1]
    done.set()
    other.join()

    assert ended == 0


def test_pumps_at_rest_are_few(far: FarSide) -> None:
    together = threading.Barrier(10)

    def borrow() -> None:
        with curl.borrowed():
            together.wait()

    threads = [threading.Thread(target=borrow) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(curl._resting) <= 4 and len(curl._pumps) <= 4


def test_the_bucket_holds_its_rate() -> None:
    bucket = pacing.TokenBucket(1_000)
    now = time.monotonic() + 10
    taken = 0
    for tick in range(2_000):  # two seconds, asked every millisecond
        while bucket.take(now + tick / 1000) == 0.0:
            taken += 1

    assert 2_000 <= taken <= 2_000 + 1_000 * 0.05 + 1


def test_an_idle_bucket_saves_up_a_twentieth_of_a_second() -> None:
    bucket = pacing.TokenBucket(1_000)
    later = time.monotonic() + 3_600

    assert sum(bucket.take(later) == 0.0 for _ in range(200)) == 50
    assert 0.0 < bucket.take(later) < 0.01


def test_the_pace_is_shared_by_threads_and_divided_among_workers(settings: Any) -> None:
    settings.WS_LAMBDA = {"FANOUT_MAX_RPS": 1_234}
    assert pacing.shared() is pacing.shared()
    assert (pacing.shared().rate, pacing.worker_pace(4).rate) == (1_234, 308.5)

    settings.WS_LAMBDA = {"FANOUT_MAX_RPS": 0}
    assert pacing.shared().take(0.0) == 0.0
    assert pacing.worker_pace(4).take(0.0) == 0.0


def test_a_nearer_outer_deadline_stays() -> None:
    from ws_lambda import deadlines

    with delivery.deadline(1):
        near = deadlines.ends_at()
        with delivery.deadline(60):
            assert deadlines.ends_at() == near
        with delivery.deadline(0.5):
            assert deadlines.ends_at() < near
    assert deadlines.ends_at() == deadlines.NO_DEADLINE


@pytest.fixture
def tls_far(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An HTTPS endpoint, and the file of the authority that vouches for it."""
    import asyncio

    from tests.tls import certificate

    cert, key = certificate(tmp_path)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stop = asyncio.Event()
    found: list[str] = []

    async def ok(_request: web.Request) -> web.Response:
        return web.Response()

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", ok)
        runner = web.AppRunner(app)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        found.append(f"https://localhost:{runner.addresses[0][1]}/production")
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    yield found[0], str(cert)
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def test_a_certificate_is_verified(tls_far: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint, ca_file = tls_far
    recipient = Recipient("c1=", endpoint, 1)

    monkeypatch.setenv("AWS_CA_BUNDLE", ca_file)
    aws.forget()
    curl.forget()
    assert send([recipient]).sent == 1

    monkeypatch.delenv("AWS_CA_BUNDLE")
    aws.forget()
    curl.forget()
    monkeypatch.setattr(dispatch, "RETRY", replace(dispatch.RETRY, attempts=1))
    report = send([recipient])
    assert report.sent == 0
    assert not report.failed[0].ambiguous
    assert "certificate" in report.failed[0].reason.lower()
