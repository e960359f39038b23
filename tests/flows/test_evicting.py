"""Members whom a changed permission no longer admits are put out many at a time, in time, and the rest later."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from botocore.client import BaseClient
from django.core.management import call_command

from tests import backends
from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import members, open_ids, open_one
from ws_lambda import aws, clock, delivery, housekeeping
from ws_lambda.gatekeeping import eviction, rights
from ws_lambda.gatekeeping.eviction import evict
from ws_lambda.models import ChannelMembership, ChannelPermission, WebSocketSession
from ws_lambda.models.opening import membership
from ws_lambda.models.unfinished import Unfinished

pytestmark = pytest.mark.usefixtures("tables")

MEMBERS = 134
"""As many as cost 268 requests, one after the other, in 17 seconds."""


@pytest.fixture
def there() -> Iterator[FarSide]:
    """API Gateway knows every connection."""
    with FarSide().serving() as side:
        yield side


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests to DynamoDB so far, by whichever client."""
    operations: list[str] = []
    make = BaseClient._make_api_call

    def record(self: Any, operation: str, request: Any) -> Any:
        operations.append(operation)
        return make(self, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return operations


def enter(side: FarSide, count: int, *more: str, users: int = 10, begin: int = 0) -> list[str]:
    """So many members of the channel `general`, each in more channels besides."""
    ids = [f"M{number:05}=" for number in range(begin, begin + count)]
    for number, one in enumerate(ids):
        owner = backends.people.get(str(100 + number % users)) or backends.add(str(100 + number % users))
        session = open_one(side, one, age=timedelta(minutes=1), user=owner)
        for name in more:
            membership(session, name).save()
        if more:
            WebSocketSession(one).update([WebSocketSession.channels.add(set(more))])
    return ids


def close(channel: str = "general") -> None:
    ChannelPermission(channel, access="staff_only").save()


def rostered() -> set[tuple[str, str]]:
    return {(row.channel, row.connection_id) for row in ChannelMembership.scan(consistent_read=True)}


def agreed() -> None:
    """Every membership is one of an open session's, and every open session has all of its own."""
    open_ones = [one for one in WebSocketSession.scan(consistent_read=True) if one.connected]
    assert rostered() == {(name, one.connection_id) for one in open_ones for name in one.channels or ()}


@pytest.mark.parametrize("more", [(), ("lobby",)])
def test_134_members_cost_a_handful_of_requests(
    there: FarSide, people: Any, asked: list[str], more: tuple[str, ...]
) -> None:
    ids = enter(there, MEMBERS, *more)
    close()
    asked.clear()

    evicted = evict("general")
    requests = Counter(asked)

    assert (evicted.put_out, evicted.disconnected, evicted.complete) == (MEMBERS, 0 if more else MEMBERS, True)
    assert ChannelMembership.count("general") == 0
    assert open_ids() == (set(ids) if more else set())
    assert {path.rpartition("/")[2] for _method, path, *_rest in there.requests} == (
        set() if more else {one.replace("=", "%3D") for one in ids}
    )
    assert requests == {
        "PutItem": 1,  # what the schedule would go on with
        "Scan": 1,
        "Query": 1,
        "BatchGetItem": 2,
        "TransactWriteItems": 3,
        "DeleteItem": 1,
    }
    agreed()


def test_users_are_read_once_however_many_connections_they_have(there: FarSide, people: Any) -> None:
    enter(there, 60, users=3)
    close()
    before = backends.DictBackend.reads
    evict("general")
    assert backends.DictBackend.reads - before == 3


def test_who_is_admitted_and_what_nobody_judges_stays(there: FarSide, people: Any) -> None:
    enter(there, 3, "other")
    clerk = backends.add("8", is_staff=True)
    open_one(there, "clerk=", age=timedelta(minutes=1), user=clerk)
    WebSocketSession("M00001=").update([WebSocketSession.unjudged_channels.set({"general"})])
    open_one(there, "nobody=", age=timedelta(minutes=1))
    close("gen*")

    evicted = evict("gen*")

    assert {row.connection_id for row in ChannelMembership.query("general")} == {"M00001=", "clerk="}
    assert (evicted.looked_at, evicted.put_out, evicted.disconnected) == (5, 3, 1)
    assert {row.connection_id for row in ChannelMembership.query("other")} == {f"M0000{n}=" for n in range(3)}
    assert WebSocketSession.get("M00000=").channel_name == "other", "the first one is gone"
    agreed()


def test_marks_go_with_their_channels(there: FarSide, people: Any) -> None:
    enter(there, 1, "other", "third")
    WebSocketSession("M00000=").update(
        [
            WebSocketSession.joined_channels.set({"general", "other"}),
            WebSocketSession.unjudged_channels.set({"third"}),
        ]
    )
    close()
    evict("general")
    row = WebSocketSession.get("M00000=")
    assert (row.channels, row.joined_channels, row.unjudged_channels) == ({"other", "third"}, {"other"}, {"third"})


def test_more_channels_than_a_transaction_takes(there: FarSide, people: Any) -> None:
    enter(there, 2, "lobby", *(f"team-{number:03}" for number in range(150)))
    close("team-*")
    assert evict("team-*").removed == 300
    assert rostered() == {(name, one) for name in ("general", "lobby") for one in ("M00000=", "M00001=")}
    agreed()


def test_a_limit_of_channel_changes_is_none_for_being_put_out(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that joins and leaves without a pause meets every one of our attempts."""
    enter(there, 1, "other")
    close()
    read, number = eviction.read_sessions, iter(range(100))

    def read_too_early(ids: Any) -> Any:
        found = read(ids)
        for one in WebSocketSession.batch_get(ids):
            one.join(f"elsewhere-{next(number)}", check=False)
        return found

    monkeypatch.setattr(eviction, "read_sessions", read_too_early)
    evicted = evict("general")
    assert (evicted.put_out, evicted.disconnected) == (1, 1)
    assert open_ids() == members() == set()


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eviction, "PAGE", 20)
    monkeypatch.setattr(eviction, "GRACE", 60)


def test_what_is_left_when_the_time_is_up_is_the_schedules(there: FarSide, people: Any, small_pages: None) -> None:
    enter(there, 50)
    close()

    evicted = evict("general", seconds=0)

    assert (evicted.put_out, evicted.complete) == (20, False)
    assert "the schedule puts out the rest" in str(evicted)
    assert len(members()) == 30
    agreed()
    pruned = housekeeping.run()
    assert (pruned.put_out, pruned.removed) == (30, 30)
    assert open_ids() == members() == set()
    assert Unfinished.everything() == []


def test_the_schedule_goes_on_from_where_it_was(there: FarSide, people: Any, small_pages: None) -> None:
    staff = [backends.add(str(number), is_staff=True) for number in range(3)]
    for number in range(60):
        open_one(there, f"S{number:02}=", age=timedelta(minutes=1), user=staff[number % 3])
    last = backends.add("9")
    open_one(there, "Z=", age=timedelta(minutes=1), user=last)
    close()
    assert evict("general", seconds=0).looked_at == 20
    looked_at = [eviction.go_on(Unfinished.everything()[0], seconds=0).looked_at for _run in range(3)]
    assert looked_at == [20, 20, 1]
    assert "Z=" not in members()
    assert Unfinished.everything() == []


def test_a_prefix_is_taken_up_again_in_the_index_of_everyone(there: FarSide, people: Any, small_pages: None) -> None:
    enter(there, 70)
    close("*")
    runs = [evict("*", seconds=0)]
    while work := Unfinished.everything():
        runs.append(eviction.go_on(work[0], seconds=0))
    assert sum(one.put_out for one in runs) == sum(one.looked_at for one in runs) == 70
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
    work = Unfinished.begin("evict", "general")
    work.leave(place)
    (work,) = Unfinished.everything()
    assert eviction.go_on(work).put_out == 3
    assert Unfinished.everything() == []


def test_a_second_change_begins_anew_and_is_not_ended_by_the_first(
    there: FarSide, people: Any, small_pages: None
) -> None:
    enter(there, 30)
    ChannelPermission("general", access="allow_all").save()
    assert evict("general", seconds=0).looked_at == 20
    (first,) = Unfinished.everything()
    close()
    second = Unfinished.begin("evict", "general")
    first.leave({"part": {"kind": "channel", "partition": "general", "after": "Z", "upto": ""}})
    first.end()
    (left,) = Unfinished.everything()
    assert (left.mark, left.place) == (second.mark, {})
    assert eviction.go_on(left).put_out == 30


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
    assert housekeeping.run().put_out == 3
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
    assert housekeeping.run().put_out == 3


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
    assert "20 put out.\n" in said
    assert said.endswith("The time was up: the schedule puts out the rest.\n")
    assert said.count("was disconnected") == eviction.NAMED
    out = StringIO()
    call_command("ws_permissions", "evict", "general", stdout=out, no_color=True)
    assert "  and 10 more\n30 put out.\n" in out.getvalue()
    assert members() == set()


def test_the_command_shows_how_far_it_is(there: FarSide, people: Any, small_pages: None) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    enter(there, 50)
    out = Terminal()
    call_command("ws_permissions", "set", "general", "staff_only", stdout=out, no_color=True)
    shown = [line for line in out.getvalue().split("\r") if "looked at" in line]
    assert [line.split(" put out")[0] for line in shown] == [
        "20 looked at, 20", "40 looked at, 40", "50 looked at, 50",
    ]  # fmt: skip


def test_it_is_kept_for_a_day(there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Unfinished.begin("evict", "general")
    later = clock.now() + 86_401
    monkeypatch.setattr(clock, "now", lambda: later)
    assert Unfinished.everything() == []


def lose_rights(side: FarSide, count: int, users: int) -> list[str]:
    """So many staff members, each in `general` and in a channel for staff, who are no staff any more; their ids."""
    close("staff")
    for one in enter(side, count, "staff", users=users):
        WebSocketSession(one).update([WebSocketSession.connect_path.set("/ws/connect")])
    return list(backends.people)


def test_members_of_a_group_are_judged_together(there: FarSide, people: Any, asked: list[str]) -> None:
    ids = lose_rights(there, MEMBERS, 60)
    before = backends.DictBackend.reads
    asked.clear()

    judged = rights.judge_users(ids)

    requests = Counter(asked)
    assert (judged.put_out, judged.removed, judged.unjudged) == (0, MEMBERS, 0)
    assert backends.DictBackend.reads - before == 60
    assert requests["TransactWriteItems"] == 3
    assert requests.total() <= 15
    assert {channel for channel, _one in rostered()} == {"general"}
    agreed()


def test_members_of_a_group_for_whom_there_is_no_time_are_the_schedules(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = lose_rights(there, 60, 60)
    monkeypatch.setattr(rights, "SECONDS", 0)
    monkeypatch.setattr(rights, "_NOTED_TOGETHER", 40)
    assert rights.judge_users(ids).removed == 0
    assert len(Unfinished.everything()) == 2
    runs = 0
    while Unfinished.everything():
        housekeeping.run(0)
        runs += 1
    assert runs == 3, "at least some users of one note in every run"
    assert {channel for channel, _one in rostered()} == {"general"}
    agreed()


def test_members_of_a_group_who_could_not_be_judged_are_the_schedules(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> Any:
        raise ConnectionError("the users' database is away")

    ids = lose_rights(there, 12, 6)
    with monkeypatch.context() as patch:
        patch.setattr(rights, "judge", fail)
        with pytest.raises(ConnectionError):
            rights.judge_users(ids)
    housekeeping.run(0)
    assert Unfinished.everything() == []
    assert {channel for channel, _one in rostered()} == {"general"}
    agreed()


def test_nobody_keeps_a_channel_because_closing_somebody_else_fails(
    there: FarSide, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_recipients: Any) -> Any:
        raise delivery.DeliveryError("DynamoDB is away")

    ids = lose_rights(there, 12, 6)
    people[ids[0]].is_active = False
    monkeypatch.setattr("ws_lambda.gatekeeping.judging.put_out", fail)
    with pytest.raises(delivery.DeliveryError, match="away"):
        rights.judge_users(ids)
    assert len([1 for channel, _one in rostered() if channel == "staff"]) == 2, "the two that were to be closed"
    agreed()


def test_unfinished_work_that_cannot_be_read_does_not_stop_the_schedule(
    there: FarSide, caplog: pytest.LogCaptureFixture
) -> None:
    open_one(there, "old=", age=timedelta(hours=3))
    key = {"scope": {"S": Unfinished.SCOPE}, "window": {"S": "evict general"}}
    item = {**key, "mark": {"S": "m"}, "position": {"N": "7"}, "expires_at": {"N": str(int(clock.now()) + 60)}}
    aws.client("dynamodb").put_item(TableName=Unfinished.Meta.table_name, Item=item)
    pruned = housekeeping.run()
    assert (pruned.expired, pruned.complete) == (1, True)
    assert "What calls have left unfinished could not be read" in caplog.text
