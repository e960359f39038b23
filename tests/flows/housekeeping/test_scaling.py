"""The schedule asks little: only about the silent, each at most once in half an hour, at a twentieth of the pace."""

import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests import backends
from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import members, open_ids, open_one
from ws_lambda import clock, housekeeping
from ws_lambda.housekeeping import paging
from ws_lambda.models import ChannelMembership, WebSocketSession
from ws_lambda.tables.attributes import from_milliseconds

pytestmark = pytest.mark.usefixtures("ws_tables")


@pytest.fixture
def there(far_side: FarSide) -> FarSide:
    far_side.behave = lambda _id, _before: 200
    return far_side


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock on by minutes, from five seconds into one."""
    moment = [clock.now() // 60 * 60 + 5]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def by(minutes: float) -> None:
        moment[0] += minutes * 60

    return by


def speak(connection_id: str) -> None:
    row = WebSocketSession.get(connection_id)
    row.update(actions=[WebSocketSession.last_seen_at.set(clock.utcnow())])


def test_connections_active_within_ten_minutes_are_not_checked(there: FarSide) -> None:
    for name in ("silent=", "talks="):
        open_one(there, name, age=timedelta(minutes=45))
    speak("talks=")
    pruned = housekeeping.run()
    assert set(there.asked) == {"silent="}
    assert (pruned.checked, pruned.asked) == (2, 1)


def test_each_is_asked_about_once_in_half_an_hour_and_the_work_is_spread(there: FarSide, tick: Any) -> None:
    for number in range(120):
        open_one(there, f"C{number}=", age=timedelta(minutes=15))
    housekeeping.run(whole=False)
    before = Counter(there.asked)
    asked = []
    for _run in range(6):
        tick(5)
        asked.append(housekeeping.run(whole=False).asked)
        assert max((there.asked - before).values()) == 1
    assert there.asked - before == Counter({f"C{number}=": 1 for number in range(120)})
    assert max(asked) < 50, "a sixth of them is 20"
    tick(0.4)
    assert housekeeping.run(whole=False).asked == 0, "nobody's turn has come since"


def test_gone_connections_are_found_within_half_an_hour_with_every_disconnect_lost(
    far_side: FarSide, tick: Any
) -> None:
    for number in range(60):
        open_one(far_side, f"C{number}=", age=timedelta(minutes=15))
    for _run in range(7):
        tick(5)
        housekeeping.run(whole=False)
    assert open_ids() == members() == set()


def test_the_oldest_go_in_every_run(there: FarSide) -> None:
    for number in range(40):
        open_one(there, f"C{number}=", age=timedelta(hours=2, minutes=1))
    assert housekeeping.run(whole=False).expired == 40
    assert open_ids() == set()


def test_users_are_read_once_in_half_an_hour_for_all_of_their_connections(there: FarSide, user: Any, tick: Any) -> None:
    other = backends.add("8")
    for number in range(30):
        open_one(there, f"C{number}=", age=timedelta(minutes=15), user=(user, other)[number % 2])
    before = backends.DictBackend.reads
    housekeeping.run(whole=False)
    for _run in range(5):
        tick(5)
        housekeeping.run(whole=False)
    tick(4)
    housekeeping.run(whole=False)
    assert backends.DictBackend.reads - before == 2


def test_a_connection_that_falls_silent_is_judged_within_half_an_hour_of_a_change(there: FarSide, tick: Any) -> None:
    """Whenever their turn comes: for some of them that is a moment after they have spoken."""
    users = [backends.add(str(number)) for number in range(60)]
    settled = housekeeping.run(whole=False)
    assert settled.checked == 0
    for user in users:
        open_one(there, f"C{user.pk}=", age=timedelta(minutes=45), user=user, login=str(user.pk))
    tick(4)
    for user in users:
        speak(f"C{user.pk}=")
        user.is_active = False
    for minutes in (1, 5, 5, 5, 5, 5):
        tick(minutes)
        housekeeping.run(whole=False)
    assert open_ids() == set()


@pytest.mark.parametrize(("limit", "pace"), [(8_000, 400), (0, 400), (1_000, 50)])
def test_a_twentieth_of_the_pace(settings: Any, limit: int, pace: float) -> None:
    settings.WS_LAMBDA = {"FANOUT_MAX_RPS": limit}
    assert housekeeping.pace() == pace


def test_the_pace_is_kept_for_asking_and_for_closing(there: FarSide, user: Any, settings: Any) -> None:
    settings.WS_LAMBDA = {"FANOUT_MAX_RPS": 400}
    for number in range(10):
        open_one(there, f"C{number}=", age=timedelta(minutes=15), user=user)
    user.is_active = False
    started = time.monotonic()
    assert housekeeping.run().evicted == 10
    assert sorted(Counter(method for method, *_rest in there.requests).items()) == [("DELETE", 10), ("GET", 10)]
    assert time.monotonic() - started > 18 / 20, "twenty requests at twenty a second, less what may go at once"


def test_memberships_need_no_row_of_their_sessions(there: FarSide, ws_requests: list[str]) -> None:
    for number in range(50):
        open_one(there, f"C{number}=", age=timedelta(minutes=1))
    for row in WebSocketSession.scan():
        row.update(actions=[WebSocketSession.last_seen_at.set(clock.utcnow())])
    ws_requests.clear()
    housekeeping.run()
    expected = {"GetItem": 1, "PutItem": 1, "Query": 6, "BatchGetItem": 4, "Scan": 1, "DeleteItem": 1}
    assert Counter(ws_requests) == expected


def test_a_membership_that_the_index_does_not_show_yet_stays(there: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    open_one(there, "new=", age=timedelta(seconds=1))
    monkeypatch.setattr(paging, "open_connections", lambda _shard, _after=None: iter(()))
    assert housekeeping.run().orphans == 0
    assert members() == {"new="}


def test_orphans_go_within_half_an_hour_each_part_of_the_memberships_once(
    there: FarSide, ws_requests: list[str], tick: Any
) -> None:
    housekeeping.run(whole=False)
    for number in range(40):
        ChannelMembership(
            f"room{number}", f"C{number}=", endpoint_url="https://x", api_id="a", joined_at=clock.utcnow(),
            connected_at=from_milliseconds(1_700_000_000_000), expires_at=clock.utcnow() + timedelta(hours=3),
        ).save()  # fmt: skip
    ws_requests.clear()
    for _run in range(6):
        tick(5)
        housekeeping.run(whole=False)
    assert members() == set()
    assert 30 <= ws_requests.count("Scan") <= 32, "as many parts, and now and then an empty page"


def test_a_socket_that_could_not_be_closed_is_closed_in_every_run(there: FarSide) -> None:
    there.behave = lambda _id, _before: 403
    open_one(there, "young=", age=timedelta(seconds=1)).disconnect()
    assert open_ids() == set()
    assert housekeeping.run(whole=False).sockets_closed == 0
    there.behave = lambda _id, _before: 200
    assert housekeeping.run(whole=False).sockets_closed == 1
    assert housekeeping.run(whole=False).sockets_closed == 0
