"""`disconnect()` of many: page by page, in time, and the rest by the schedule."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import members, open_ids, open_one
from ws_lambda import delivery, housekeeping
from ws_lambda.models import WebSocketSession, disconnecting, unfinished_work
from ws_lambda.tables.sessions import CLOSING

pytestmark = pytest.mark.usefixtures("ws_tables")
everyone = WebSocketSession.objects.filter(connected=True)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnecting, "PAGE", 10)
    monkeypatch.setattr(disconnecting, "GRACE", 60)
    monkeypatch.setattr(housekeeping, "GRACE", 60)


def enter(side: FarSide, count: int, channel: str = "general") -> None:
    for number in range(count):
        open_one(side, f"{channel}{number:03}=", age=timedelta(minutes=5), channel=channel)


def test_page_by_page_with_all_outcomes_in_one_report(there: FarSide, small_pages: None) -> None:
    there.behave = lambda connection_id, _before: 410 if connection_id.endswith("7=") else 200
    enter(there, 25)
    seen: list[int] = []

    report = WebSocketSession.objects.filter(channel_name="general").disconnect(
        lambda so_far: seen.append(so_far.sent + len(so_far.gone))
    )

    assert (report.sent, sorted(report.gone), report.failed) == (23, ["general007=", "general017="], ())
    assert not report.unread
    assert seen == [10, 20, 25]
    assert open_ids() == members() == set()
    assert unfinished_work.everything() == []


@pytest.mark.parametrize("selection", [everyone, WebSocketSession.objects.filter(channel_name="general")])
def test_the_schedule_finishes_what_is_left_when_the_time_is_up(
    there: FarSide, small_pages: None, selection: Any
) -> None:
    enter(there, 25)
    with delivery.deadline(59):
        report = selection.disconnect()
    assert (report.sent, report.unread) == (10, True)
    assert "the rest of the roster not read" in str(report)
    assert len(open_ids()) == 15
    open_one(there, "new=", age=-timedelta(seconds=1))
    assert housekeeping.run().disconnected == 15
    assert open_ids() == {"new="}, "who has come since stays"
    assert unfinished_work.everything() == []


def test_the_schedule_takes_as_many_runs_as_it_needs(there: FarSide, small_pages: None) -> None:
    enter(there, 25)
    with delivery.deadline(59):
        everyone.disconnect()
    left = []
    while unfinished_work.everything():
        housekeeping.run(0)
        left.append(len(open_ids()))
    assert left == [5, 0]


def test_only_the_selection_is_disconnected_later(there: FarSide, small_pages: None) -> None:
    enter(there, 12)
    enter(there, 12, "support")
    with delivery.deadline(59):
        WebSocketSession.objects.filter(channel_name="support").disconnect()
    housekeeping.run()
    assert open_ids() == {f"general{number:03}=" for number in range(12)}


def test_no_socket_stays_because_a_session_could_not_be_closed(there: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_recipients: Any) -> int:
        raise delivery.DeliveryError("DynamoDB is away")

    enter(there, 3)
    monkeypatch.setattr(disconnecting, "close_all", fail)
    with pytest.raises(delivery.DeliveryError, match="away"):
        everyone.disconnect()
    assert {method for method, *_rest in there.requests} == {"DELETE"}
    assert len(there.requests) == 3


def test_the_schedule_finishes_what_is_left_after_an_error(
    there: FarSide, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_recipients: Any) -> int:
        raise delivery.DeliveryError("DynamoDB is away")

    enter(there, 25)
    with monkeypatch.context() as patch:
        patch.setattr(disconnecting, "close_all", fail)
        with pytest.raises(delivery.DeliveryError, match="away"):
            everyone.disconnect()
    assert housekeeping.run().disconnected == 25
    assert open_ids() == members() == set()
    assert unfinished_work.everything() == []


def test_the_command_says_that_the_rest_follows(there: FarSide, small_pages: None) -> None:
    enter(there, 25)
    out, err = StringIO(), StringIO()
    call_command(
        "ws_sessions", "disconnect", "--everybody", "--yes", "--seconds", "0", stdout=out, stderr=err, no_color=True
    )
    assert out.getvalue() == "Disconnected: 10. Already gone: 0.\n"
    assert err.getvalue() == "The time is up. The scheduled run disconnects the others.\n"


def test_sockets_that_keep_failing_leave_the_walk_its_time(there: FarSide) -> None:
    there.behave = lambda connection_id, _before: 429 if connection_id.startswith("stuck") else 200
    for number in range(120):
        age = timedelta(minutes=10 + number / 100)
        open_one(there, f"stuck{number:03}=", age=age, connected=False, live_shard=CLOSING)
    open_one(there, "old=", age=timedelta(hours=3))

    pruned = housekeeping.run(10)

    assert (pruned.sockets_closed, pruned.expired, pruned.complete) == (0, 1, True)


def test_sockets_to_be_closed_are_begun_with_from_either_end(there: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    from ws_lambda.models import sockets

    for name, age in (("older=", 20), ("newer=", 10)):
        session = open_one(there, name, age=timedelta(minutes=age))
        session.update([WebSocketSession.connected.set(False), WebSocketSession.live_shard.set(CLOSING)])
    monkeypatch.setattr(sockets, "_PAGE", 1)
    there.behave = lambda _id, _before: 403
    for drawn, first in ((0.1, "older="), (0.9, "newer=")):
        monkeypatch.setattr(sockets.random, "random", lambda drawn=drawn: drawn)
        there.requests.clear()
        assert sockets.close_remaining_sockets() == 0
        assert there.requests[0][1].endswith(first.replace("=", "%3D"))
