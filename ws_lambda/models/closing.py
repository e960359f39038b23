"""Closing sessions: when `$disconnect` comes, when a send finds a connection gone, when somebody is put out."""

import random
import time
from collections.abc import Iterable, Sequence

from pynamodb.exceptions import VerboseClientError

from ws_lambda import channels, delivery
from ws_lambda.models import open_connections, own_work
from ws_lambda.models.attributes import milliseconds
from ws_lambda.models.base import condition_failed, connection
from ws_lambda.models.closer import close_all, closing_update
from ws_lambda.models.dropping import drop, mark_dropped
from ws_lambda.models.memberships import ChannelMembership
from ws_lambda.models.sessions import CLOSING, WebSocketSession, channels_of
from ws_lambda.models.transactions import MOST_ITEMS, Collided, DecidingWrite

_ATTEMPTS = 6


def close_session(connection_id: str, *, api_id: str = "", connected_at: int = 0) -> WebSocketSession | None:
    """Marks a session as closed and removes it from its channels: at most two round trips.

    Args:
        api_id: only if it is this gateway's.
        connected_at: only this generation, in milliseconds; an earlier or later one of the same id survives.

    Returns:
        The session as it was, or None where there is none. A session that had been closed before, as a logout
        does, is left as it was; `connected` tells. Unknown and repeated are no errors.
    """
    was, closed_now = _mark_closed(connection_id, api_id, connected_at)
    if was is not None and closed_now:
        _leave(was)
    elif was is not None and was.live_shard == CLOSING:
        mark_dropped(was.recipient)
    return was


def close_gone(recipients: Sequence[delivery.Recipient], *, channel_name: str = "") -> int:
    """Closes the sessions of connections that API Gateway no longer knows; returns how many it closed.

    None is closed that is so young that it may only be opening.

    Args:
        channel_name: the channel whose roster named them; its rows go even where the session's record is gone.
    """
    return close_all([one for one in recipients if not one.is_young], channel_name)


def close_and_drop(recipients: Iterable[delivery.Recipient]) -> delivery.DeliveryReport:
    """Closes sessions first, so that nothing more is accepted from them, then their sockets.

    A socket that cannot be closed now, since it is not open yet or the request failed, is left to `drop_again`. That
    of a connection whose own `$connect` is running in this invocation counts as closed: its connect is refused.
    """
    listed = list(recipients)
    try:
        close_all(listed)
    finally:  # of those whose sessions are closed, no socket is to stay because others are not
        report = drop(listed)
    return report


def put_out(recipients: Sequence[delivery.Recipient]) -> int:
    """Does what `close_and_drop` does; how many sessions were still open."""
    try:
        return close_all(recipients)
    finally:
        drop(recipients)


def _leave(session: WebSocketSession) -> None:
    """Removes a connection from its channels and from its user's open ones: one request, for up to 99 channels.

    Connections of one user that close at once get into each other's way. Whoever does so too often leaves its id
    behind, which is removed when the user's set is full.
    """
    names = list(channels_of(session))
    if not session.user_id:
        leave_all(session, names)
        return
    if not names:
        open_connections.remove(None, session.user_id, session.connection_id)
        return
    together, rest = names[: MOST_ITEMS - 1], names[MOST_ITEMS - 1 :]
    for attempt in range(_ATTEMPTS):
        try:
            with DecidingWrite() as transaction:
                open_connections.remove(transaction, session.user_id, session.connection_id)
                for name in together:
                    transaction.delete(_row(session.connection_id, name))
        except Collided:
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, not a secret
        else:
            leave_all(session, rest)
            return
    leave_all(session, names)


def _row(connection_id: str, channel_name: str) -> ChannelMembership:
    return ChannelMembership(channels.shard_key(channel_name, connection_id), connection_id)


def leave_all(session: WebSocketSession, names: Iterable[str]) -> None:
    """Removes a connection's rows from channels, 25 to a request."""
    with ChannelMembership.batch_write() as batch:
        for name in names:
            batch.delete(_row(session.connection_id, name))


def _mark_closed(connection_id: str, api_id: str, connected_at: int) -> tuple[WebSocketSession | None, bool]:
    """The session of that generation as it was, and whether this call is the one that closed it."""
    mark = own_work.mark()
    recipient = delivery.Recipient(connection_id, "", connected_at)
    try:
        update = closing_update(recipient, mark, api_id, keep=False)
        answer = connection().dispatch("UpdateItem", update)
    except VerboseClientError as failed:
        if not condition_failed(failed):
            raise
        item = own_work.failed_item(failed)
        if item.get("closed_by") == {"S": mark}:  # by this very request, whose first answer was lost
            return WebSocketSession.from_raw_data(item | {"connected": {"BOOL": True}}), True
        was = WebSocketSession.from_raw_data(item) if item else None
        same = was is not None and connected_at in (0, milliseconds(was.connected_at)) and api_id in ("", was.api_id)
        return (was if same else None), False
    return WebSocketSession.from_raw_data(answer["Attributes"]), True
