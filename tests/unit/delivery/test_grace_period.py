"""Connections younger than `$connect` can take: a 410 says "not yet", for two seconds at most."""

import time
from collections.abc import Iterator

import pytest

from tests.far_side import FarSide
from tests.unit.delivery.conftest import ignore
from ws_lambda import clock, delivery
from ws_lambda.delivery import NOT_OPEN_YET, YOUNG_SECONDS, Listed, Recipient, grace_period
from ws_lambda.exceptions import NotOpenYet


@pytest.fixture(autouse=True)
def _nobody_waited_for() -> Iterator[None]:
    grace_period.forget()
    yield
    grace_period.forget()


def aged(far: FarSide, seconds: float, *ids: str) -> list[Recipient]:
    return [Recipient(one, far.endpoint_url, int((clock.now() - seconds) * 1000)) for one in ids]


def send(recipients: list[Recipient], **more: object) -> delivery.DeliveryReport:
    gone: list[Recipient] = []
    report = delivery.broadcast(recipients, b"x", on_gone=gone.extend, **more)  # type: ignore[arg-type]
    assert sorted(report.gone) == sorted(one.connection_id for one in gone)
    return report


@pytest.mark.parametrize(
    ("seconds", "young"), [(0, True), (34, True), (36, False), (-30, True), (-36, False), (7200, False)]
)
def test_an_age(far: FarSide, seconds: float, young: bool) -> None:
    assert aged(far, seconds, "a=")[0].is_young is young


def test_an_unknown_age_does_not_count_as_young() -> None:
    assert not Recipient("a=", "", 0).is_young


def test_one_that_opens_meanwhile_gets_it_once(far: FarSide) -> None:
    far.behave = lambda cid, before: 410 if cid == "new=" and before < 3 else 200

    report = send(aged(far, 0, "new=") + aged(far, 600, "old="))

    assert (report.sent, report.gone, report.failed, report.repeated) == (2, (), (), ())
    assert far.delivered == {"new=": 1, "old=": 1}
    assert far.asked["new="] == 4


def test_one_that_does_not_open_is_not_reported_gone(far: FarSide) -> None:
    far.behave = lambda _cid, _before: 410
    started = time.monotonic()

    report = send(aged(far, 0, "young=") + aged(far, YOUNG_SECONDS + 1, "old="))

    assert report.gone == ("old=",)
    assert [(one.connection_id, one.reason, one.ambiguous) for one in report.failed] == [
        ("young=", NOT_OPEN_YET, False)
    ]
    assert grace_period.GRACE_SECONDS <= time.monotonic() - started < grace_period.GRACE_SECONDS + 2
    assert 4 <= far.asked["young="] <= 12, "the pauses grow"
    assert far.asked["old="] == 1


def test_many_hold_up_the_sender_by_two_seconds_together(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are waited for at one time: who comes after those is not waited for, and holds up nobody."""
    from ws_lambda.delivery import dispatch

    monkeypatch.setattr(dispatch, "_MOST_UNOPENED", 100)
    far.behave = lambda cid, _before: 410 if cid.startswith("n") else 200
    new, old = [f"n{number}=" for number in range(300)], [f"o{number}=" for number in range(300)]
    done: dict[str, float] = {}
    started = time.monotonic()
    monkeypatch.setattr(
        far, "behave", lambda cid, _b: 410 if cid[0] == "n" else done.setdefault(cid, time.monotonic()) and 200
    )

    report = send(aged(far, 1, *new) + aged(far, 600, *old))

    assert (report.sent, len(report.failed)) == (300, 300)
    assert max(done.values()) - started < grace_period.GRACE_SECONDS, "nobody waited for those who were waited for"
    assert time.monotonic() - started < grace_period.GRACE_SECONDS + 3


def test_a_connection_that_was_only_checked_still_gets_its_grace_period(far: FarSide) -> None:
    far.behave = lambda _cid, before: 410 if before < 3 else 200
    new = aged(far, 0, "new=")

    assert [status.reason for _one, status in delivery.inspect(new)] == [NOT_OPEN_YET]

    assert send(new).sent == 1


def test_a_connection_that_never_opened_is_tried_once_by_the_next_send(far: FarSide) -> None:
    far.behave = lambda _cid, _before: 410
    left = aged(far, 0, "left=")
    send(left)
    before = far.asked["left="]
    started = time.monotonic()

    reports = [send(left) for _ in range(5)]

    assert {report.failed[0].reason for report in reports} == {NOT_OPEN_YET}
    assert far.asked["left="] == before + 5
    assert time.monotonic() - started < grace_period.GRACE_SECONDS
    far.behave = lambda _cid, _before: 200
    assert send(left).sent == 1, "it had only been slow"


def test_another_generation_is_waited_for_again(far: FarSide) -> None:
    (left,) = aged(far, 5, "c=")
    grace_period.remember(left)
    far.behave = lambda _cid, before: 410 if before < 2 else 200

    assert send(aged(far, 1, "c=")).sent == 1


def test_the_memory_is_bounded_and_ends_with_youth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grace_period, "_REMEMBERED", 50)
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    for number in range(60):
        grace_period.remember(Recipient(f"{number}=", "", int(moment * 1000)))
    assert len(grace_period._waited_for) == 50
    moment += YOUNG_SECONDS + 1
    grace_period.remember(Recipient("x=", "", int(moment * 1000)))
    assert len(grace_period._waited_for) == 1


def test_a_connection_that_is_not_open_yet_is_handed_over(far: FarSide, caplog: pytest.LogCaptureFixture) -> None:
    far.behave = lambda _cid, _before: 410
    young, handed = aged(far, 0, "a=", "b="), list[Recipient]()

    report = send(young, on_not_open=handed.extend, waits_for_opening=False)

    assert (report.held_over, report.failed, sorted(handed)) == (("a=", "b="), (), young)
    assert "2 held over" in str(report)

    def no_queue(_left: object) -> None:
        raise delivery.DeliveryError("SQS is away")

    assert [one.reason for one in send(young, on_not_open=no_queue, waits_for_opening=False).failed] == [
        NOT_OPEN_YET
    ] * 2
    assert "SQS is away" in caplog.text


def test_the_deadline_ends_the_waiting(far: FarSide) -> None:
    far.behave = lambda _cid, _before: 410
    started = time.monotonic()

    with delivery.deadline(0.5):
        report = send(aged(far, 0, "young="))

    assert report.failed[0].reason == NOT_OPEN_YET
    assert time.monotonic() - started < 1.5


def test_a_delete_is_repeated_and_no_verdict(far: FarSide) -> None:
    far.behave = lambda cid, before: 410 if cid == "never=" or before < 2 else 200

    report = delivery.close(aged(far, 0, "late=", "never="))

    assert (report.sent, report.gone) == (1, ())
    assert [(one.connection_id, one.reason) for one in report.failed] == [("never=", NOT_OPEN_YET)]


def test_inspect_does_not_know(far: FarSide) -> None:
    far.behave = lambda _cid, _before: 410
    young, old = aged(far, 0, "young="), aged(far, 60, "old=")

    found = {one.connection_id: status for one, status in delivery.inspect(young + old)}

    assert (found["young="].state, found["young="].reason) == ("unknown", NOT_OPEN_YET)
    assert found["old="].state == "gone"
    assert far.asked["young="] == 1


def test_ones_own_connect_is_not_waited_for(far: FarSide) -> None:
    own, other = aged(far, 0, "own=", "other=")
    with delivery.connecting("own="):
        report = send([own, other])
        with pytest.raises(NotOpenYet, match="first message"):
            delivery.send(Listed([own]), "x", on_gone=ignore)

    assert (report.sent, [one.reason for one in report.failed]) == (1, [NOT_OPEN_YET])
    assert far.asked == {"other=": 1}, "it is not even asked about"
    assert send([own]).sent == 1
