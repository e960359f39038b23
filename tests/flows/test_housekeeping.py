"""R6: pruning works with every `$disconnect` lost."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests import backends, wire
from tests.far_side import FarSide
from tests.golden import golden
from tests.wire import Context
from ws_lambda import clock, housekeeping
from ws_lambda.delivery import rounds
from ws_lambda.events import GatewayEvent
from ws_lambda.models import ChannelMembership, WebSocketSession, opening
from ws_lambda.models.attributes import milliseconds
from ws_lambda.models.cursors import Cursor
from ws_lambda.models.opening import new_session, open_session
from ws_lambda.models.tokens import EndedLogin, digest

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    """API Gateway: it knows no connection, unless told otherwise."""
    with FarSide(lambda _id, _before: 410).serving() as side:
        yield side


@pytest.fixture
def graceful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for a page that was begun: a busy machine answers late, and nobody is closed without an answer."""
    monkeypatch.setattr(housekeeping, "GRACE", 60)


def open_one(
    side: FarSide, connection_id: str, *, age: timedelta, channel: str = "general", user: Any = None, login: str = "one"
) -> WebSocketSession:
    opened = milliseconds(clock.utcnow() - age)
    event = GatewayEvent.from_lambda(golden("connect", connectionId=connection_id, connectedAt=opened))
    session = new_session(event, endpoint_url=side.endpoint_url, channel_name=channel)
    session.connected_at = clock.utcnow() - age
    if user is not None:
        session.user_id, session.auth_backend = str(user.pk), backends.PATH
        session.auth_hash, session.session_key_hash = user.get_session_auth_hash(), digest(login)
    open_session(session)
    return session


def open_ids() -> set[str]:
    return {one.connection_id for one in WebSocketSession.scan() if one.connected}


def members() -> set[str]:
    return {row.connection_id for row in ChannelMembership.scan()}


def test_everything_is_closed_although_nobody_was_told(far_side: FarSide) -> None:
    for number in range(25):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
        open_one(far_side, f"old{number}=", age=timedelta(hours=3))
    pruned = housekeeping.run()
    assert (pruned.asked, pruned.gone, pruned.expired, pruned.complete) == (25, 25, 25, True)
    assert open_ids() == members() == set()


def test_who_is_there_stays_and_who_is_young_is_not_even_asked_about(far_side: FarSide) -> None:
    far_side.behave = lambda connection_id, _before: 200 if connection_id == "here=" else 410
    open_one(far_side, "here=", age=timedelta(minutes=30))
    open_one(far_side, "gone=", age=timedelta(minutes=30))
    open_one(far_side, "new=", age=timedelta(minutes=1))
    housekeeping.run()
    assert open_ids() == members() == {"here=", "new="}
    assert set(far_side.asked) == {"here=", "gone="}
    assert {method for method, *_rest in far_side.requests} == {"GET"}


def test_no_answer_closes_nobody(far_side: FarSide) -> None:
    far_side.behave = lambda _id, _before: 403
    open_one(far_side, "hidden=", age=timedelta(minutes=30))
    pruned = housekeeping.run()
    assert (pruned.gone, pruned.unknown) == (0, 1)
    assert open_ids() == {"hidden="}


def test_orphaned_memberships_go_and_those_of_another_generation_too(far_side: FarSide) -> None:
    far_side.behave = lambda _id, _before: 200
    here = open_one(far_side, "here=", age=timedelta(minutes=1))
    row = ChannelMembership.get("general", "here=")
    fields = {
        name: getattr(row, name) for name in ("endpoint_url", "api_id", "joined_at", "expires_at", "connected_at")
    }
    ChannelMembership("general", "nobody=", **fields).save()
    before = {**fields, "connected_at": here.connected_at - timedelta(hours=1)}
    ChannelMembership("earlier", "here=", **before).save()
    pruned = housekeeping.run()
    assert pruned.orphans == 2
    assert [(row.channel, row.connection_id) for row in ChannelMembership.scan()] == [("general", "here=")]


@pytest.mark.usefixtures("graceful")
def test_a_run_that_is_cut_short_goes_on_where_it_stopped(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAGE", 5)
    for number in range(40):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    runs = 0
    closed = 0
    while True:
        pruned = housekeeping.run(0)
        runs += 1
        closed += pruned.gone
        assert pruned.asked <= 5, "one page and no more, when there is no time"
        if pruned.complete:
            break
        assert Cursor.read("prune")
    assert runs > 8
    assert closed == 40
    assert open_ids() == members() == set()
    assert Cursor.read("prune") == {}


@pytest.mark.usefixtures("graceful")
def test_a_scheduled_run_ends_before_lambda_ends_it(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAGE", 5)
    for number in range(20):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))

    class Ending(Context):
        def get_remaining_time_in_millis(self) -> int:
            return int(housekeeping.MARGIN * 1000)

    assert housekeeping.prune({}, Ending())["complete"] is False
    assert len(open_ids()) >= 15
    assert housekeeping.prune({}, Context())["complete"] is True
    assert open_ids() == members() == set()


def test_a_gateway_that_does_not_answer_holds_up_no_run(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    assert housekeeping.GRACE < housekeeping.MARGIN
    monkeypatch.setattr(rounds, "TIMEOUT", 60.0)
    far_side.behave = lambda _id, _before: "hang"
    for number in range(5):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    started = time.monotonic()
    pruned = housekeeping.run(0)
    assert time.monotonic() - started < rounds.TIMEOUT
    assert pruned.gone == 0
    assert len(open_ids()) == 5


def test_two_runs_at_once_close_each_session_once(far_side: FarSide) -> None:
    for number in range(30):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: housekeeping.run(), range(2)))
    assert sum(pruned.gone for pruned in both) == 30
    assert open_ids() == members() == set()


def test_an_unreadable_position_is_no_position(far_side: FarSide) -> None:
    Cursor.write("prune", {"step": "no such step", "key": {"x": {"S": "y"}}})
    open_one(far_side, "idle=", age=timedelta(minutes=30))
    assert housekeeping.run().gone == 1


def test_the_schedule_calls_it_through_the_function(far_side: FarSide) -> None:
    from ws_lambda.lambda_handler import handler

    open_one(far_side, "idle=", age=timedelta(minutes=30))
    rule = "arn:aws:events:eu-west-1:123456789012:rule/demo-dev-prune-ws_lambda.housekeeping.prune"
    answer: dict[str, Any] = handler({"detail-type": "Scheduled Event", "resources": [rule]}, Context())
    assert answer["gone"] == 1
    assert answer["complete"] is True


def test_by_hand(far_side: FarSide) -> None:
    open_one(far_side, "idle=", age=timedelta(minutes=30))
    open_one(far_side, "old=", age=timedelta(hours=3))
    out = StringIO()
    call_command("ws_prune", stdout=out)
    assert out.getvalue().startswith("Closed 2 sessions (1 older than two hours, 1 of 1 asked about gone")
    call_command("ws_prune", seconds=0.0, stdout=out)
    assert "run it again" not in out.getvalue(), "there was nothing left to do"


@pytest.mark.usefixtures("graceful")
def test_by_hand_with_progress_and_a_limit(far_side: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(housekeeping, "PAGE", 5)
    for number in range(20):
        open_one(far_side, f"idle{number}=", age=timedelta(minutes=30))
    out = Terminal()
    call_command("ws_prune", seconds=0.0, no_color=True, stdout=out)
    assert "run it again" in out.getvalue()
    call_command("ws_prune", no_color=True, stdout=out)
    assert out.getvalue().count("\rClosed ") > 3, "a line that is written over, page by page"
    assert "Closed 20 sessions" not in out.getvalue(), "the first run closed some of them"
    assert open_ids() == set()


@pytest.fixture
def everybody_there(far_side: FarSide) -> FarSide:
    """API Gateway knows every connection that it has not been told to close."""
    far_side.behave = lambda _id, _before: 200
    return far_side


def deactivate(user: Any) -> None:
    user.is_active = False


def change_password(user: Any) -> None:
    user.set_password("another")


def delete(user: Any) -> None:
    del backends.people[str(user.pk)]


def log_out_unseen(_user: Any) -> None:
    """As where the index did not show the connection yet when the login ended."""
    EndedLogin.record(digest("one"))


@pytest.mark.parametrize("end", [deactivate, change_password, delete, log_out_unseen])
def test_a_silent_connection_ends_with_what_it_was_opened_by(everybody_there: FarSide, user: Any, end: Any) -> None:
    other = backends.add("8")
    open_one(everybody_there, "his=", age=timedelta(minutes=5), user=user)
    open_one(everybody_there, "other=", age=timedelta(minutes=5), user=other, login="two")
    open_one(everybody_there, "nobody=", age=timedelta(minutes=5))
    end(user)
    pruned = housekeeping.run()
    assert (pruned.put_out, pruned.unjudged, pruned.complete) == (1, 0, True)
    assert open_ids() == members() == {"other=", "nobody="}
    assert [(method, path.rpartition("/")[2]) for method, path, *_rest in everybody_there.requests] == [
        ("DELETE", "his%3D")
    ]


def test_a_login_that_goes_on_keeps_its_connections(everybody_there: FarSide, user: Any) -> None:
    open_one(everybody_there, "before=", age=timedelta(minutes=5), user=user)
    change_password(user)
    open_one(everybody_there, "after=", age=timedelta(minutes=5), user=user, login="two")
    assert housekeeping.run().put_out == 1
    assert open_ids() == {"after="}


def test_who_speaks_is_looked_at_then_and_not_here(
    everybody_there: FarSide, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one(everybody_there, "C1=", age=timedelta(minutes=5), user=user)
    assert wire.message({"action": "chat"})["statusCode"] == 200
    deactivate(user)
    assert housekeeping.run().put_out == 0
    later = clock.now() + 61
    monkeypatch.setattr(clock, "now", lambda: later)
    assert housekeeping.run().put_out == 1


def test_a_user_is_read_once_for_all_of_his_connections(
    everybody_there: FarSide, user: Any, tables: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "live_shard", lambda _connection_id: "0")
    other = backends.add("8")
    for number in range(20):
        open_one(everybody_there, f"C{number}=", age=timedelta(minutes=5), user=(user, other)[number % 2])
    before = backends.DictBackend.reads
    tables.clear()
    housekeeping.run()
    assert backends.DictBackend.reads - before == 2
    assert tables.count("BatchGetItem") == 3, "the sessions of memberships; sessions and logins of connections"
    assert tables.count("GetItem") == 1, "the position"


def test_users_that_cannot_be_read_hold_up_nothing_and_put_nobody_out(
    far_side: FarSide, user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    far_side.behave = lambda connection_id, _before: 410 if connection_id == "gone=" else 200
    open_one(far_side, "gone=", age=timedelta(minutes=30), user=user)
    for number in range(20):
        open_one(far_side, f"C{number}=", age=timedelta(minutes=5), user=user)
    row = ChannelMembership.get("general", "C1=")
    fields = {
        name: getattr(row, name) for name in ("endpoint_url", "api_id", "joined_at", "expires_at", "connected_at")
    }
    ChannelMembership("general", "orphan=", **fields).save()
    deactivate(user)
    asked = []

    def down(_self: Any, user_id: str) -> Any:
        asked.append(user_id)
        raise ConnectionError("the database of users is down")

    with monkeypatch.context() as patch:
        patch.setattr(backends.DictBackend, "get_user", down)
        pruned = housekeeping.prune()
    assert (pruned["gone"], pruned["orphans"], pruned["complete"]) == (1, 1, True)
    assert (pruned["put_out"], pruned["unjudged"], len(asked)) == (0, 20, 1)
    assert len(open_ids()) == 20
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "Users could not be looked up" in error.message
    assert "the database of users is down" in str(error.exc_info)
    assert housekeeping.run().put_out == 20, "the next run tries again"


def test_putting_out_is_cut_short_and_goes_on_too(
    everybody_there: FarSide, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "PAGE", 3)
    monkeypatch.setattr(housekeeping, "GRACE", 30)
    for number in range(20):
        open_one(everybody_there, f"C{number}=", age=timedelta(minutes=5), user=user)
    deactivate(user)
    put_out = []
    while True:
        pruned = housekeeping.run(0)
        put_out.append(pruned.put_out)
        if pruned.complete:
            break
    assert max(put_out) <= 3
    assert sum(put_out) == 20
    assert open_ids() == members() == set()
    assert len(everybody_there.asked) == 20
    assert {method for method, *_rest in everybody_there.requests} == {"DELETE"}


def test_two_runs_at_once_put_each_connection_out_once(everybody_there: FarSide, user: Any) -> None:
    for number in range(30):
        open_one(everybody_there, f"C{number}=", age=timedelta(minutes=5), user=user)
    deactivate(user)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: housekeeping.run(), range(2)))
    assert sum(pruned.put_out for pruned in both) == 30
    assert open_ids() == members() == set()


def test_a_run_that_dies_lets_the_next_one_begin_anew(
    everybody_there: FarSide, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda ends a function whose database of users never answers: pruning must not stop for that."""

    class Killed(BaseException):
        pass

    def hang(*_args: Any) -> Any:
        raise Killed

    open_one(everybody_there, "C1=", age=timedelta(minutes=5), user=user)
    Cursor.write("prune", {"step": "users of 0", "key": None})
    monkeypatch.setattr(backends.DictBackend, "get_user", hang)
    with pytest.raises(Killed):
        housekeeping.run()
    assert Cursor.read("prune") == {}
    open_one(everybody_there, "old=", age=timedelta(hours=3))
    with pytest.raises(Killed):
        housekeeping.run()
    assert open_ids() == {"C1="}
