"""Sending to many: what each recipient's outcome is."""

import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.far_side import Answer, FarSide
from ws_lambda import delivery, telemetry
from ws_lambda.delivery import Listed, Recipient, rounds

broadcast = sys.modules["ws_lambda.delivery.broadcast"]  # the package exports the function of that name


def recipients(far: FarSide, count: int) -> list[Recipient]:
    return [Recipient(f"c{number:06}=", far.endpoint_url, 1_700_000_000_000 + number) for number in range(count)]


def ignore(_gone: Sequence[Recipient]) -> None:
    """For sends where nobody is gone."""


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
        monkeypatch.setattr(broadcast, "ends_at", lambda: time.monotonic() - broadcast._CLOSING_SECONDS - 0.1)

    report = delivery.send(Listed(recipients(far, 400)), "x", on_gone=until_the_deadline)

    assert len(report.gone) == 400
    assert len(closed) == 1
    assert "no time to close 300" in caplog.text


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_is_tried_again(far: FarSide, status: int) -> None:
    far.behave = lambda _id, before: status if before < 2 else 200

    report = delivery.send(Listed(recipients(far, 20)), "x", on_gone=ignore)

    assert (report.sent, report.failed) == (20, ())
    assert set(far.asked.values()) == {3}
    assert len(report.repeated) == (0 if status == 429 else 20)


@pytest.mark.parametrize("status", [400, 403, 413, 301])
def test_a_refusal_is_final(far: FarSide, status: int) -> None:
    far.behave = lambda _id, _before: status

    report = delivery.send(Listed(recipients(far, 2)), "x", on_gone=ignore)

    assert [(one.reason, one.ambiguous) for one in report.failed] == [(f"status {status}", False)] * 2
    assert far.asked.total() == 2


def test_nobody_there_is_no_ambiguity(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ATTEMPTS", 2)
    nobody = Recipient("c1=", "http://127.0.0.1:1/production", 1)

    report = delivery.send(Listed([nobody, *recipients(far, 5)]), "x", on_gone=ignore)

    assert report.sent == 5
    (failure,) = report.failed
    assert failure.connection_id == "c1=" and not failure.ambiguous


def test_a_cut_connection_is_ambiguous_and_named(far: FarSide) -> None:
    far.behave = lambda _id, before: "cut" if before == 0 else 200

    report = delivery.send(Listed(recipients(far, 10)), "x", on_gone=ignore)

    assert report.sent == 10
    assert len(report.repeated) == 10


def test_a_request_repeated_by_libcurl_is_named(far: FarSide) -> None:
    """A kept-alive connection that dies under a request makes libcurl send it again without a word."""
    delivery.send(Listed(recipients(far, 1)), "x", on_gone=ignore)
    far.behave = lambda _id, before: "cut" if before == 1 else 200

    report = delivery.send(Listed(recipients(far, 1)), "x", on_gone=ignore)

    assert far.delivered["c000000="] == 3
    assert report.repeated == ("c000000=",)


def test_an_answer_cut_short_is_an_answer(far: FarSide) -> None:
    far.behave = lambda _id, _before: "half"

    report = delivery.send(Listed(recipients(far, 10)), "x", on_gone=ignore)

    assert (report.sent, report.repeated) == (10, ())
    assert set(far.asked.values()) == {1}


def test_the_deadline_ends_it_and_names_the_rest(far: FarSide) -> None:
    far.behave = lambda cid, _before: "hang" if cid == "c000000=" else 200

    with delivery.deadline(rounds.TIMEOUT - 1):
        report = delivery.send(Listed(recipients(far, 50)), "x", on_gone=ignore)

    assert report.sent == 49
    (failure,) = report.failed
    assert failure.connection_id == "c000000=" and failure.ambiguous


def test_past_the_deadline_nothing_is_sent_and_all_are_named(far: FarSide) -> None:
    with delivery.deadline(0):
        report = delivery.send(Listed(recipients(far, 50)), "x", on_gone=ignore)

    assert (report.sent, len(report.failed), far.asked.total()) == (0, 50, 0)
    assert not any(one.ambiguous for one in report.failed)


def test_a_hanging_recipient_holds_up_nobody(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs until everybody else has been sent to: if they waited for it, this would not end."""
    monkeypatch.setattr(rounds, "TIMEOUT", 60.0)

    def behave(connection_id: str, before: int) -> Answer:
        if connection_id == "c000000=" and before == 0:
            return "hang"
        if far.delivered.total() == 1_999:
            far.release()
        return 200

    far.behave = behave

    report = delivery.send(Listed(iter(recipients(far, 2_000))), "x", on_gone=ignore)

    assert (report.sent, report.repeated) == (2_000, ("c000000=",))
    assert far.delivered["c000000="] == 2


def test_no_endpoint(far: FarSide) -> None:
    with pytest.raises(ValueError, match="no endpoint"):
        delivery.send(Listed([Recipient("c1=", "", 1)]), "x", on_gone=ignore)

    report = delivery.send(Listed([Recipient("c1=", "", 1), *recipients(far, 1)]), "x", on_gone=ignore)

    assert report.sent == 1
    assert [(one.connection_id, one.reason) for one in report.failed] == [("c1=", "the session has no endpoint")]


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
    assert far.most_in_flight <= 8
    assert far.most_open <= 8 * len(threads)


FAULTS: tuple[Answer, ...] = (410, 429, 500, "hang", "cut", "garbage", "half", 403, 200)


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_thousand_with_mixed_faults(
    far: FarSide, seed: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each recipient has exactly one outcome, the right one, and only ambiguous failures are ever sent twice."""
    settings.WS_LAMBDA = {"FANOUT_MAX_RPS": 0}
    monkeypatch.setattr(rounds, "TIMEOUT", 4.0)
    monkeypatch.setattr(rounds, "ATTEMPTS", 3)
    monkeypatch.setattr(rounds, "RETRY_WINDOW", 60.0)
    monkeypatch.setattr(rounds, "_BACKOFF", 0.01)
    chance = random.Random(seed)
    everyone = recipients(far, 10_000)
    plan: dict[str, tuple[Answer, int]] = {}
    for one in everyone:
        fault = chance.choice(FAULTS) if chance.random() < 0.05 else 200
        plan[one.connection_id] = (fault, chance.choice((1, 2, 99)))  # so often, then 200

    def behave(connection_id: str, before: int) -> Answer:
        fault, times = plan[connection_id]
        return fault if before < times else 200

    far.behave = behave
    closed: list[Recipient] = []

    report = delivery.send(Listed(everyone), "x", on_gone=closed.extend)

    failed = {one.connection_id: one for one in report.failed}
    gone = set(report.gone)
    assert len(failed) == len(report.failed) and len(gone) == len(report.gone)
    assert not gone & failed.keys()
    assert report.sent + len(gone) + len(failed) == 10_000
    assert {one.connection_id for one in closed} == gone

    for one in everyone:
        fault, times = plan[one.connection_id]
        if fault == 410:
            assert one.connection_id in gone
        elif fault == 403 or (times == 99 and fault in (429, 500, "hang", "cut", "garbage")):
            assert one.connection_id in failed, (fault, times)
            assert failed[one.connection_id].ambiguous == (fault not in (403, 429))
        else:
            assert one.connection_id not in failed, (fault, times, failed[one.connection_id])
            assert one.connection_id not in gone, (fault, times)
            assert far.delivered[one.connection_id] >= 1
    twice = {cid for cid, count in far.delivered.items() if count > 1}
    named = set(report.repeated) | {cid for cid, one in failed.items() if one.ambiguous}
    unsure = {cid for cid, (fault, _) in plan.items() if fault in (500, "hang", "cut", "garbage")}
    assert named <= unsure
    assert twice <= named, [(cid, plan[cid], far.asked[cid], far.delivered[cid], cid in gone) for cid in twice - named]
