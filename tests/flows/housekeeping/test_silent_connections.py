"""The schedule closes silent connections whose user is gone or whose login has ended, and removes lost channels."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests import backends
from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import everybodys_turn, members, open_ids, open_one
from ws_lambda import clock, housekeeping
from ws_lambda.models import ChannelMembership, opening
from ws_lambda.models.login_marks import record_ended_login
from ws_lambda.tables.tokens import digest
from ws_lambda.testing import invoke, message_event

pytestmark = pytest.mark.usefixtures("ws_tables")


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
    record_ended_login(digest("one"))


@pytest.mark.parametrize("end", [deactivate, change_password, delete, log_out_unseen])
def test_a_silent_connection_ends_with_what_it_was_opened_by(everybody_there: FarSide, user: Any, end: Any) -> None:
    other = backends.add("8")
    open_one(everybody_there, "his=", age=timedelta(minutes=5), user=user)
    open_one(everybody_there, "other=", age=timedelta(minutes=5), user=other, login="two")
    open_one(everybody_there, "nobody=", age=timedelta(minutes=5))
    end(user)
    pruned = housekeeping.run()
    assert (pruned.evicted, pruned.unchecked, pruned.complete) == (1, 0, True)
    assert open_ids() == members() == {"other=", "nobody="}
    assert [(method, path.rpartition("/")[2]) for method, path, *_rest in everybody_there.requests] == [
        ("DELETE", "his%3D")
    ]


def test_a_login_that_goes_on_keeps_its_connections(everybody_there: FarSide, user: Any) -> None:
    open_one(everybody_there, "before=", age=timedelta(minutes=5), user=user)
    change_password(user)
    open_one(everybody_there, "after=", age=timedelta(minutes=5), user=user, login="two")
    assert housekeeping.run().evicted == 1
    assert open_ids() == {"after="}


def test_active_connections_are_checked_with_their_messages_and_not_here(
    everybody_there: FarSide, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one(everybody_there, "C1=", age=timedelta(minutes=5), user=user)
    assert invoke(message_event({"action": "chat"}, apiId="abc123"))["statusCode"] == 200
    deactivate(user)
    assert housekeeping.run().evicted == 0
    later = clock.now() + 61
    monkeypatch.setattr(clock, "now", lambda: later)
    assert housekeeping.run().evicted == 1


def test_a_user_is_read_once_for_all_of_his_connections(
    everybody_there: FarSide, user: Any, ws_requests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "live_shard", lambda _connection_id: "0")
    other = backends.add("8")
    for number in range(20):
        open_one(everybody_there, f"C{number}=", age=timedelta(minutes=5), user=(user, other)[number % 2])
    before = backends.DictBackend.reads
    ws_requests.clear()
    housekeeping.run()
    assert backends.DictBackend.reads - before == 2
    assert ws_requests.count("BatchGetItem") == 2, "sessions and logins; memberships need no session's row"
    assert ws_requests.count("GetItem") == 2, "the position; whether permissions have changed"


def test_unreadable_users_delay_nothing_and_close_nothing(
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
        everybodys_turn()
        pruned = housekeeping.prune()
    assert (pruned["gone"], pruned["orphans"], pruned["complete"]) == (1, 1, True)
    assert (pruned["evicted"], pruned["unchecked"], len(asked)) == (0, 20, 1)
    assert len(open_ids()) == 20
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "Users could not be read" in error.message
    assert "the database of users is down" in str(error.exc_info)
    assert housekeeping.run().evicted == 20, "the next run tries again"


def test_putting_out_is_cut_short_and_goes_on_too(
    everybody_there: FarSide, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping.paging, "PAGE", 3)
    monkeypatch.setattr(housekeeping, "GRACE", 30)
    for number in range(20):
        open_one(everybody_there, f"C{number}=", age=timedelta(minutes=5), user=user)
    deactivate(user)
    put_out = []
    while True:
        pruned = housekeeping.run(0)
        put_out.append(pruned.evicted)
        if pruned.complete:
            break
    assert max(put_out) <= 3
    assert sum(put_out) == 20
    assert open_ids() == members() == set()
    assert len(everybody_there.asked) == 20
    assert {method for method, *_rest in everybody_there.requests} == {"DELETE"}


def test_two_runs_at_once_close_each_connection_once(everybody_there: FarSide, user: Any) -> None:
    for number in range(30):
        open_one(everybody_there, f"C{number}=", age=timedelta(minutes=5), user=user)
    deactivate(user)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: housekeeping.run(), range(2)))
    assert sum(pruned.evicted for pruned in both) == 30
    assert open_ids() == members() == set()


def test_a_run_that_dies_lets_the_next_one_begin_anew(
    everybody_there: FarSide, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda ends a function whose database of users never answers: pruning must not stop for that."""

    class Killed(BaseException):
        pass

    def hang(*_args: Any) -> Any:
        raise Killed

    for number in range(20):
        open_one(everybody_there, f"C{number}=", age=timedelta(minutes=5), user=user)
    with monkeypatch.context() as patch:
        patch.setattr(backends.DictBackend, "get_user", hang)
        with pytest.raises(Killed):
            housekeeping.run()
        open_one(everybody_there, "old=", age=timedelta(hours=3))
        pruned = housekeeping.run()
    assert (pruned.expired, pruned.unchecked, pruned.complete) == (1, 20, True), "users kill no second run"
    deactivate(user)
    assert housekeeping.run().evicted == 20, "the one after that asks again"
