"""Putting members out of channels that no longer admit them."""

from collections.abc import Iterator
from dataclasses import dataclass

from ws_lambda import channels
from ws_lambda.models.channel_permissions import forget_cache, may_join
from ws_lambda.models.joining import leave
from ws_lambda.models.sessions import WebSocketSession, channels_of


@dataclass(frozen=True, slots=True)
class Eviction:
    """One connection that was put out of one channel."""

    channel_name: str
    connection_id: str
    disconnected: bool
    """Whether that was its only channel, so that its socket was closed too and its client learns of it."""


def evict(pattern: str) -> list[Eviction]:
    """Puts out whom the stored permissions do not admit now.

    Args:
        pattern: a channel, or a prefix ending in `*`; a prefix reads every open connection, a channel its roster.
    """
    forget_cache()
    return [_put_out(session, name) for session, name in list(_not_admitted(pattern))]


def _not_admitted(pattern: str) -> Iterator[tuple[WebSocketSession, str]]:
    exact = not channels.is_pattern(pattern)
    selected = {"channel_name": pattern} if exact else {"connected": True}
    for session in WebSocketSession.objects.filter(**selected):
        for name in channels_of(session):
            if channels.best_match([pattern], name) and not may_join(session.user, name):
                yield session, name


def _put_out(session: WebSocketSession, channel_name: str) -> Eviction:
    leave(session, channel_name)
    if not session.channels:
        session.disconnect()
    return Eviction(channel_name, session.connection_id, disconnected=not session.channels)
