"""Connections of a certain age and owner, and an API Gateway that says whether it knows them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests import backends, engines
from tests.far_side import FarSide
from tests.golden import golden
from ws_lambda import clock, housekeeping
from ws_lambda.events import GatewayEvent
from ws_lambda.housekeeping import round_robin
from ws_lambda.models import ChannelMembership, WebSocketSession, cursors
from ws_lambda.models.opening import new_session
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.tokens import digest


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
    side: FarSide,
    connection_id: str,
    *more: str,
    age: timedelta,
    channel: str = "general",
    user: Any = None,
    login: str = "one",
    **attributes: Any,
) -> WebSocketSession:
    """A connection with the rows that `open_session` stores, in more channels besides. Many of them take no time."""
    opened = milliseconds(clock.utcnow() - age)
    event = GatewayEvent.from_lambda(golden("connect", connectionId=connection_id, connectedAt=opened))
    session = new_session(event, endpoint_url=side.endpoint_url, channel_name=channel)
    session.connected_at = clock.utcnow() - age
    if user is not None:
        session.user_id, session.auth_backend = str(user.pk), backends.PATH
        session.auth_hash, session.login_id = user.get_session_auth_hash(), digest(login)
    session.channels = {*(session.channels or ()), *more} or None
    for name, value in attributes.items():
        setattr(session, name, value)
    joined = [ChannelMembership.of(session, name).serialize() for name in session.channels or ()]
    engines.put_many(WebSocketSession.Meta.table_name, [session.serialize()])
    engines.put_many(ChannelMembership.Meta.table_name, joined)
    return session


def open_ids() -> set[str]:
    return {one.connection_id for one in WebSocketSession.scan() if one.connected}


def members() -> set[str]:
    return {row.connection_id for row in ChannelMembership.scan()}


def everybodys_turn() -> None:
    """As half an hour after the last run of the schedule."""
    cursors.write("prune", {"done": round_robin.turn_at(clock.now()) - round_robin.TURNS})
