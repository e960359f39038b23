"""An eviction ends in time, and the schedule does what is left of it."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests import backends
from tests.far_side import FarSide
from tests.flows.evicting.conftest import agreed, close, enter
from tests.flows.housekeeping.conftest import members, open_ids, open_one
from ws_lambda import aws, clock, delivery, housekeeping
from ws_lambda.gatekeeping import eviction
from ws_lambda.gatekeeping.eviction import evict
from ws_lambda.models import ChannelPermission, unfinished_work
from ws_lambda.tables.rate_limits import UnfinishedWork

pytestmark = pytest.mark.usefixtures("ws_tables")


def test_the_schedule_finishes_what_is_left_when_the_time_is_up(there: FarSide, people: Any, small_pages: None) -> None:
    enter(there, 50)
    close()

    evicted = evict("general", seconds=0)

    assert (evicted.evicted, evicted.complete) == (20, False)
    assert "the schedule will remove the rest" in str(evicted)
    assert len(members()) == 30
    agreed()
    pruned = housekeeping.run()
    assert (pruned.evicted, pruned.removed) == (30, 30)
    assert open_ids() == members() == set()
    assert unfinished_work.everything() == []


def test_the_schedule_goes_on_from_where_it_was(there: FarSide, people: Any, small_pages: None) -> None:
    staff = [backends.add(str(number), is_staff=True) for number in range(3)]
    for number in range(60):
        open_one(there, f"S{number:02}=", age=timedelta(minutes=1), user=staff[number % 3])
    last = backends.add("9")
    open_one(there, "Z=", age=timedelta(minutes=1), user=last)
    close()
    assert evict("general", seconds=0).checked == 20
    checked = [eviction.go_on(unfinished_work.everything()[0], seconds=0).checked for _run in range(3)]
    assert checked == [20, 20, 1]
    assert "Z=" not in members()
    assert unfinished_work.everything() == []


def test_a_prefix_is_taken_up_again_in_the_index_of_everyone(there: FarSide, people: Any, small_pages: None) -> None:
    enter(there, 70)
    close("*")
    runs = [evict("*", seconds=0)]
    while work := unfinished_work.everything():
        runs.append(eviction.go_on(work[0], seconds=0))
    assert sum(one.evicted for one in runs) == sum(one.checked for one in runs) == 70
    assert len(runs) >= 4
    assert open_ids() == members() == set()


@pytest.mark.parametrize(
    "place",
    [
        {"part": {"kind": "channel", "partition": "other", "after": "a=", "upto": ""}},
        {"part": {"kind": "channel", "partition": "general", "after": 7, "upto": ""}},
        {"part": {"kind": "channel", "partition": "general", "after": "x" * 2000, "upto": ""}},
        {"part": {"kind": "live", "partition": "0", "after": "x", "upto": ""}},
        {"part": ["general"]},
        {"undone": "x"},
        [],
    ],
)
def test_a_place_that_does_not_fit_is_none(there: FarSide, people: Any, place: Any) -> None:
    enter(there, 3)
    close()
    work = unfinished_work.begin("evict", "general")
    unfinished_work.leave(work, place)
    (work,) = unfinished_work.everything()
    assert eviction.go_on(work).evicted == 3
    assert unfinished_work.everything() == []


def test_a_second_change_begins_anew_and_is_not_ended_by_the_first(
    there: FarSide, people: Any, small_pages: None
) -> None:
    enter(there, 30)
    ChannelPermission("general", access="allow_all").save()
    assert evict("general", seconds=0).checked == 20
    (first,) = unfinished_work.everything()
    close()
    second = unfinished_work.begin("evict", "general")
    unfinished_work.leave(first, {"part": {"kind": "channel", "partition": "general", "after": "Z", "upto": ""}})
    unfinished_work.end(first)
    (left,) = unfinished_work.everything()
    assert (left.mark, left.place) == (second.mark, {})
    assert eviction.go_on(left).evicted == 30


def test_a_process_that_dies_leaves_it_to_the_schedule(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(_ids: Any) -> Any:
        raise Killed

    enter(there, 3)
    close()
    with monkeypatch.context() as patch:
        patch.setattr(eviction, "read_sessions", die)
        with pytest.raises(Killed):
            evict("general")
    assert housekeeping.run().evicted == 3
    assert members() == set()


def test_users_that_cannot_be_read_hold_up_nothing_else(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    enter(there, 3)
    close()

    def down(_self: Any, _user_id: str) -> Any:
        raise ConnectionError("the database of users is down")

    with monkeypatch.context() as patch:
        patch.setattr(backends.DictBackend, "get_user", down)
        with pytest.raises(ConnectionError):
            evict("general")
        assert housekeeping.run().complete
    assert "the database of users is down" in caplog.text
    assert len(members()) == 3
    assert housekeeping.run().evicted == 3


def test_a_nearer_deadline_of_the_invocation_holds(there: FarSide, people: Any, small_pages: None) -> None:
    enter(there, 30)
    close()
    with delivery.deadline(60):  # all of which is kept for a page that has been begun
        assert not evict("general").complete
    assert len(members()) == 10


def test_the_command_says_how_many_and_that_the_rest_follows(there: FarSide, people: Any, small_pages: None) -> None:
    enter(there, 50)
    out = StringIO()
    call_command("ws_permissions", "set", "general", "staff_only", "--seconds", "0", stdout=out, no_color=True)
    said = out.getvalue()
    assert "20 removed.\n" in said
    assert said.endswith("The time is up. The scheduled run removes the others.\n")
    assert said.count("was disconnected") == eviction.NAMED
    out = StringIO()
    call_command("ws_permissions", "evict", "general", stdout=out, no_color=True)
    assert "  and 10 more\n30 removed.\n" in out.getvalue()
    assert members() == set()


def test_the_command_shows_how_far_it_is(there: FarSide, people: Any, small_pages: None) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    enter(there, 50)
    out = Terminal()
    call_command("ws_permissions", "set", "general", "staff_only", stdout=out, no_color=True)
    shown = [line for line in out.getvalue().split("\r") if "members checked" in line]
    assert [line.split(" removed")[0] for line in shown] == [
        "20 members checked, 20", "40 members checked, 40", "50 members checked, 50",
    ]  # fmt: skip


def test_it_is_kept_for_a_day(there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    unfinished_work.begin("evict", "general")
    later = clock.now() + 86_401
    monkeypatch.setattr(clock, "now", lambda: later)
    assert unfinished_work.everything() == []


def test_unfinished_work_that_cannot_be_read_does_not_stop_the_schedule(
    there: FarSide, caplog: pytest.LogCaptureFixture
) -> None:
    open_one(there, "old=", age=timedelta(hours=3))
    key = {"scope": {"S": UnfinishedWork.SCOPE}, "window": {"S": "evict general"}}
    item = {**key, "mark": {"S": "m"}, "position": {"N": "7"}, "expires_at": {"N": str(int(clock.now()) + 60)}}
    aws.client("dynamodb").put_item(TableName=UnfinishedWork.Meta.table_name, Item=item)
    pruned = housekeeping.run()
    assert (pruned.expired, pruned.complete) == (1, True)
    assert "The unfinished tasks could not be read" in caplog.text
