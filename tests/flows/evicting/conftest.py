"""Members of a channel, at an API Gateway that knows every connection."""

from datetime import timedelta
from typing import Any

import pytest

from tests import backends
from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import open_one
from ws_lambda.gatekeeping import eviction
from ws_lambda.models import ChannelMembership, ChannelPermission, WebSocketSession


def enter(side: FarSide, count: int, *more: str, users: int = 10, begin: int = 0, **attributes: Any) -> list[str]:
    """So many members of the channel `general`, each in more channels besides, and with more attributes."""
    ids = [f"M{number:05}=" for number in range(begin, begin + count)]
    for number, one in enumerate(ids):
        owner = backends.people.get(str(100 + number % users)) or backends.add(str(100 + number % users))
        open_one(side, one, *more, age=timedelta(minutes=1), user=owner, **attributes)
    return ids


def close(channel: str = "general") -> None:
    ChannelPermission(channel, access="staff_only").save()


def rostered() -> set[tuple[str, str]]:
    return {(row.channel, row.connection_id) for row in ChannelMembership.scan(consistent_read=True)}


def agreed() -> None:
    """Every membership is one of an open session's, and every open session has all of its own."""
    open_ones = [one for one in WebSocketSession.scan(consistent_read=True) if one.connected]
    assert rostered() == {(name, one.connection_id) for one in open_ones for name in one.channels or ()}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eviction, "PAGE", 20)
    monkeypatch.setattr(eviction, "GRACE", 60)
