"""Members whom a changed permission no longer admits are removed, many at a time."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests import backends
from tests.far_side import FarSide
from tests.flows.evicting.conftest import agreed, close, enter, rostered
from tests.flows.housekeeping.conftest import members, open_ids, open_one
from ws_lambda.gatekeeping import eviction
from ws_lambda.gatekeeping.eviction import evict
from ws_lambda.models import ChannelMembership, WebSocketSession

pytestmark = pytest.mark.usefixtures("ws_tables")

MEMBERS = 134
"""As many as cost 268 requests, one after the other, in 17 seconds."""


@pytest.mark.parametrize("more", [(), ("lobby",)])
def test_134_members_cost_a_handful_of_requests(
    there: FarSide, people: Any, asked: list[str], more: tuple[str, ...]
) -> None:
    ids = enter(there, MEMBERS, *more)
    close()
    asked.clear()

    evicted = evict("general")
    requests = Counter(asked)

    assert (evicted.evicted, evicted.disconnected, evicted.complete) == (MEMBERS, 0 if more else MEMBERS, True)
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


def test_admitted_members_and_unjudged_channels_stay(there: FarSide, people: Any) -> None:
    enter(there, 3, "other")
    clerk = backends.add("8", is_staff=True)
    open_one(there, "clerk=", age=timedelta(minutes=1), user=clerk)
    WebSocketSession("M00001=").update([WebSocketSession.unjudged_channels.set({"general"})])
    open_one(there, "nobody=", age=timedelta(minutes=1))
    close("gen*")

    evicted = evict("gen*")

    assert {row.connection_id for row in ChannelMembership.query("general")} == {"M00001=", "clerk="}
    assert (evicted.checked, evicted.evicted, evicted.disconnected) == (5, 3, 1)
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


def test_a_limit_of_channel_changes_does_not_stop_a_removal(
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
    assert (evicted.evicted, evicted.disconnected) == (1, 1)
    assert open_ids() == members() == set()
