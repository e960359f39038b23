"""Sending to many: who gets what, and what is reported of it."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.far_side import FarSide
from tests.unit.delivery.conftest import ignore, recipients
from ws_lambda import delivery, telemetry
from ws_lambda.delivery import Listed, Recipient, broadcasting


def test_everyone_gets_the_same_bytes_once(far: FarSide) -> None:
    report = delivery.send(Listed(recipients(far, 300)), {"text": "héllo"}, on_gone=ignore)

    assert (report.sent, report.gone, report.failed, report.repeated) == (300, (), (), ())
    assert set(far.delivered.values()) == {1}
    assert {body for bodies in far.bodies.values() for body in bodies} == {b'{"text":"h\\u00e9llo"}'}
    method, path, headers, _ = far.requests[0]
    assert method == "POST"
    assert path.startswith("/production/@connections/c") and path.endswith("%3D")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")


def test_connections_are_kept_between_sends(far: FarSide) -> None:
    for _ in range(5):
        delivery.send(Listed(recipients(far, 1)), "x", on_gone=ignore)

    assert far.connections == 1


def test_gone_are_handed_back_in_batches(far: FarSide) -> None:
    far.behave = lambda cid, _before: 410 if int(cid[1:-1]) % 2 else 200
    batches: list[Sequence[Recipient]] = []

    report = delivery.send(Listed(recipients(far, 500)), "x", on_gone=batches.append)

    gone = [one for batch in batches for one in batch]
    assert report.sent == 250
    assert sorted(report.gone) == sorted(one.connection_id for one in gone)
    assert len(gone) == 250 and max(map(len, batches)) <= 100
    assert all(one.connected_at == 1_700_000_000_000 + int(one.connection_id[1:-1]) for one in gone)


def test_a_failing_on_gone_loses_no_report(far: FarSide, caplog: pytest.LogCaptureFixture) -> None:
    far.behave = lambda _id, _before: 410

    def broken(_gone: Sequence[Recipient]) -> None:
        raise RuntimeError("DynamoDB is away")

    report = delivery.send(Listed(recipients(far, 3)), "x", on_gone=broken)

    assert len(report.gone) == 3
    assert "could not be closed" in caplog.text


def test_closing_who_is_gone_ends_soon_after_the_deadline(
    far: FarSide, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On Lambda the invocation would be killed over it, and the report lost."""
    far.behave = lambda _id, _before: 410
    closed: list[Sequence[Recipient]] = []

    def until_the_deadline(gone: Sequence[Recipient]) -> None:
        closed.append(gone)
        monkeypatch.setattr(broadcasting, "ends_at", lambda: time.monotonic() - broadcasting.CLOSING_SECONDS - 0.1)

    report = delivery.send(Listed(recipients(far, 400)), "x", on_gone=until_the_deadline)

    assert len(report.gone) == 400
    assert len(closed) == 1
    assert "no time to close 300" in caplog.text


def test_no_endpoint(far: FarSide) -> None:
    with pytest.raises(ValueError, match="no endpoint"):
        delivery.send(Listed([Recipient("c1=", "", 1)]), "x", on_gone=ignore)

    report = delivery.send(Listed([Recipient("c1=", "", 1), *recipients(far, 1)]), "x", on_gone=ignore)

    assert report.sent == 1
    assert [(one.connection_id, one.reason) for one in report.failed] == [("c1=", "the session has no endpoint")]


@pytest.mark.parametrize(
    "endpoint", ["ftp://far/p", "http://[::1", "https://m\u00fcnchen.example/p", "https://a\0b.example/p"]
)
def test_an_endpoint_that_no_request_can_go_to_stops_nobody(far: FarSide, endpoint: str) -> None:
    report = delivery.send(Listed([Recipient("c1=", endpoint, 1), *recipients(far, 5)]), "x", on_gone=ignore)

    assert report.sent == 5
    assert [one.connection_id for one in report.failed] == ["c1="]
    assert "URL" in report.failed[0].reason


def test_what_no_browser_would_read_is_not_sent(far: FarSide) -> None:
    for value, error in ((float("nan"), ValueError), (float("inf"), ValueError), (object(), TypeError)):
        with pytest.raises(error):
            delivery.send(Listed(recipients(far, 1)), {"value": value}, on_gone=ignore)
    assert not far.bodies


def test_too_big_a_message_is_refused_before_anything_is_sent(far: FarSide) -> None:
    with pytest.raises(ValueError, match="131,073 bytes"):
        delivery.send(Listed(recipients(far, 1)), "x" * 131_073, on_gone=ignore)

    assert not far.requests
    assert delivery.send(Listed(recipients(far, 1)), "x" * 131_072, on_gone=ignore).sent == 1
    assert len(far.bodies["c000000="][0]) == 131_072


def test_a_source_that_fails_on_the_way_loses_no_report(far: FarSide, caplog: pytest.LogCaptureFixture) -> None:
    def failing(count: int) -> Iterator[Recipient]:
        yield from recipients(far, count)
        raise RuntimeError("DynamoDB is away")

    report = delivery.send(Listed(failing(20)), "x", on_gone=ignore)

    assert (report.sent, report.unread) == (20, True)
    assert "DynamoDB is away" in caplog.text
    with pytest.raises(RuntimeError, match="is away"):
        delivery.send(Listed(failing(0)), "x", on_gone=ignore)


def test_close_deletes(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    far.behave = lambda cid, _before: 410 if cid == "c000001=" else 200
    counted: dict[str, float] = {}
    monkeypatch.setattr(telemetry, "count", counted.__setitem__)

    report = delivery.close(recipients(far, 3))

    assert counted == {}, "closing is no delivery"
    delivery.send(Listed(recipients(far, 3)), "x", on_gone=ignore)
    assert counted == {"Deliveries": 2, "Gone": 1, "Failed": 0}

    assert (report.sent, report.gone) == (2, ("c000001=",))
    assert [method for method, *_ in far.requests] == ["DELETE"] * 3 + ["POST"] * 3


def test_inspect_tells_open_gone_and_unknown(far: FarSide) -> None:
    far.behave = lambda cid, _before: {"c000001=": 410, "c000002=": 403}.get(cid, 200)

    found = {one.connection_id: status for one, status in delivery.inspect(recipients(far, 3))}

    assert [found[f"c00000{n}="].state for n in range(3)] == ["open", "gone", "unknown"]
    assert str(found["c000000="].last_active_at) == "2026-11-22 10:05:00+00:00"
    assert found["c000002="].reason == "status 403"


def test_threads_share_the_connections(far: FarSide, settings: Any) -> None:
    settings.WS_LAMBDA = {"FANOUT_CONNECTIONS": 8, "FANOUT_MAX_RPS": 0}
    far.behave = lambda _id, _before: "late"
    reports = []
    chunks = [recipients(far, 240)[start : start + 60] for start in range(0, 240, 60)]
    threads = [
        threading.Thread(target=lambda part=part: reports.append(delivery.send(Listed(part), "x", on_gone=ignore)))
        for part in chunks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(report.sent for report in reports) == 240
    assert set(far.delivered.values()) == {1}
    assert far.most_in_flight <= 8 + len(threads) - 1  # a thread always has one
    assert far.most_open <= 8 * len(threads)
