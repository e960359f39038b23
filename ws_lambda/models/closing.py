"""Closing one session, as on `$disconnect`."""

from collections.abc import Iterable

from pynamodb.exceptions import VerboseClientError

from ws_lambda import delivery
from ws_lambda.models import open_connections
from ws_lambda.models.closing_requests import closing_update
from ws_lambda.models.session import WebSocketSession
from ws_lambda.models.sockets import mark_socket_closed
from ws_lambda.models.transactions import MOST_ITEMS, Collided, DecidingWrite
from ws_lambda.retrying import Retry
from ws_lambda.tables import idempotency
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.sessions import CLOSING, channels_of
from ws_lambda.tables.shared_connection import condition_failed, connection

_RETRY = Retry(base=0.01, attempts=6, overtime=1.0)


def close_session(connection_id: str, *, api_id: str = "", connected_at: int = 0) -> WebSocketSession | None:
    """Marks a session as closed and removes it from its channels: at most two round trips.

    Args:
        api_id: closes it only if it belongs to this gateway.
        connected_at: closes it only if it was connected then, in milliseconds since the epoch; 0 for any time.

    Returns:
        The session as it was before, or None if there is none. If it was closed already, such as by a logout, it
        stays as it was, and its `connected` is False.
    """
    was, closed_now = _mark_closed(connection_id, api_id, connected_at)
    if was is not None and closed_now:
        _leave(was)
    elif was is not None and was.live_shard == CLOSING:
        mark_socket_closed(was.recipient)
    return was


def _leave(session: WebSocketSession) -> None:
    """Removes a connection from its channels and from its user's open connections: one request for up to 99 channels.

    Connections of one user that close at the same time collide. A connection that collides too often leaves its id in
    the user's set. It is removed when the set is full.
    """
    names = list(channels_of(session))
    if not session.user_id:
        leave_all(session, names)
        return
    if not names:
        open_connections.remove(None, session.user_id, session.connection_id)
        return
    together, rest = names[: MOST_ITEMS - 1], names[MOST_ITEMS - 1 :]
    attempts = _RETRY.begin()
    while True:
        try:
            with DecidingWrite() as transaction:
                open_connections.remove(transaction, session.user_id, session.connection_id)
                for name in together:
                    transaction.delete(ChannelMembership.key_of(session.connection_id, name))
        except Collided:
            if not attempts.wait():
                break
        else:
            leave_all(session, rest)
            return
    leave_all(session, names)


def leave_all(session: WebSocketSession, names: Iterable[str]) -> None:
    """Removes a connection's rows from channels, 25 in a request."""
    with ChannelMembership.batch_write() as batch:
        for name in names:
            batch.delete(ChannelMembership.key_of(session.connection_id, name))


def _mark_closed(connection_id: str, api_id: str, connected_at: int) -> tuple[WebSocketSession | None, bool]:
    """The session as it was before, and whether this call closed it."""
    mark = idempotency.mark()
    recipient = delivery.Recipient(connection_id, "", connected_at)
    try:
        update = closing_update(recipient, mark, api_id, keep=False)
        answer = connection().dispatch("UpdateItem", update)
    except VerboseClientError as failed:
        if not condition_failed(failed):
            raise
        item = idempotency.failed_item(failed)
        if item.get("closed_by") == {"S": mark}:  # by this request, whose first answer was lost
            return WebSocketSession.from_raw_data(item | {"connected": {"BOOL": True}}), True
        was = WebSocketSession.from_raw_data(item) if item else None
        same = was is not None and connected_at in (0, milliseconds(was.connected_at)) and api_id in ("", was.api_id)
        return (was if same else None), False
    return WebSocketSession.from_raw_data(answer["Attributes"]), True
