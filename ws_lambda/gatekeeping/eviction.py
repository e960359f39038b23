"""Putting members out of channels that no longer admit them."""

from collections.abc import Iterator
from dataclasses import dataclass

from ws_lambda import channels
from ws_lambda.exceptions import InvalidConnectionId, RateLimited
from ws_lambda.models.channel_permissions import forget_cache, may_join
from ws_lambda.models.joining import leave
from ws_lambda.models.sessions import WebSocketSession, channels_of


@dataclass(frozen=True, slots=True)
class Eviction:
    """One connection that was put out of one channel."""

    channel_name: str
    connection_id: str
    disconnected: bool
    """Whether its socket was closed too: that was its only channel, or it could not be put out in another way."""


def evict(pattern: str) -> list[Eviction]:
    """Puts out whom the stored permissions do not admit now.

    Args:
        pattern: a channel, or a prefix ending in `*`; a prefix reads every open connection, a channel its roster.
    """
    forget_cache()
    evicted = [_put_out(session, name) for session, name in list(_not_admitted(pattern))]
    return [one for one in evicted if one is not None]


def _not_admitted(pattern: str) -> Iterator[tuple[WebSocketSession, str]]:
    exact = not channels.is_pattern(pattern)
    selected = {"channel_name": pattern} if exact else {"connected": True}
    for session in WebSocketSession.objects.filter(**selected):
        for name in channels_of(session):
            if channels.best_match([pattern], name) and not may_join(session.user, name):
                yield session, name


def _put_out(session: WebSocketSession, channel_name: str) -> Eviction | None:
    """Puts one connection out; None where it has closed meanwhile."""
    try:
        leave(session, channel_name)
    except InvalidConnectionId:
        return None
    except RateLimited:  # it changes its channels faster than it can be taken out of one
        session.channels = None
    if not session.channels:
        session.disconnect()
    return Eviction(channel_name, session.connection_id, disconnected=not session.channels)
