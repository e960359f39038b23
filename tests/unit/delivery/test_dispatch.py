"""Retries and deadlines of a dispatch, and reports of messages that may have been sent twice."""

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.far_side import Answer, FarSide
from tests.unit.delivery.conftest import ignore, recipients
from ws_lambda import delivery
from ws_lambda.delivery import Listed, Recipient, dispatch


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


def test_a_refused_tcp_connection_is_not_ambiguous(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "RETRY", replace(dispatch.RETRY, attempts=2))
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

    with delivery.deadline(dispatch.TIMEOUT - 1):
        report = delivery.send(Listed(recipients(far, 50)), "x", on_gone=ignore)

    assert report.sent == 49
    (failure,) = report.failed
    assert failure.connection_id == "c000000=" and failure.ambiguous


def test_past_the_deadline_nothing_is_sent_and_all_are_named(far: FarSide) -> None:
    with delivery.deadline(0):
        report = delivery.send(Listed(recipients(far, 50)), "x", on_gone=ignore)

    assert (report.sent, len(report.failed), far.asked.total()) == (0, 50, 0)
    assert not any(one.ambiguous for one in report.failed)


def test_a_hanging_recipient_does_not_delay_others(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs until everybody else has been sent to: if they waited for it, this would not end."""
    monkeypatch.setattr(dispatch, "TIMEOUT", 60.0)

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


FAULTS: tuple[Answer, ...] = (410, 429, 500, "hang", "cut", "garbage", "half", 403, 200)


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_thousand_with_mixed_faults(
    far: FarSide, seed: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each recipient has exactly one outcome, the right one, and only ambiguous failures are ever sent twice."""
    settings.WS_LAMBDA = {"FANOUT_MAX_RPS": 0}
    monkeypatch.setattr(dispatch, "TIMEOUT", 4.0)
    monkeypatch.setattr(dispatch, "RETRY", replace(dispatch.RETRY, base=0.02, attempts=3, within=60.0))
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
