"""Entering and leaving channels while the connection is open: one transaction each."""

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from ws_lambda import channels
from ws_lambda.exceptions import InvalidConnectionId, PermissionRefused, RateLimited
from ws_lambda.models.base import connection
from ws_lambda.models.channel_permissions import may_join, refresh
from ws_lambda.models.memberships import ChannelMembership
from ws_lambda.models.opening import membership
from ws_lambda.models.sessions import WebSocketSession

_ATTEMPTS = 5


def enter(session: WebSocketSession, channel_name: str, *, check: bool = True) -> None:
    """Adds one channel; see `WebSocketSession.join`."""
    _check(session, channel_name, check)
    _rewrite(session, add=channel_name)


def leave(session: WebSocketSession, channel_name: str) -> None:
    """Removes one channel; see `WebSocketSession.leave`."""
    _rewrite(session, remove=channel_name)


def change(session: WebSocketSession, channel_name: str, *, check: bool = True) -> None:
    """Puts a channel in the place of the first one; see `WebSocketSession.change_channel`."""
    _check(session, channel_name, check)
    _rewrite(session, add=channel_name, replace_first=True)


def _check(session: WebSocketSession, channel_name: str, check: bool) -> None:
    channels.check_name(channel_name)
    if check:
        refresh()
        if not may_join(session.user, channel_name):
            raise PermissionRefused()


def _rewrite(session: WebSocketSession, *, add: str = "", remove: str = "", replace_first: bool = False) -> None:
    """Stores the session's new set of channels and the rows of its roster, on the condition of the old set.

    Another message of the same connection may be doing the same in another process: then the session is read
    again and the change is worked out anew.
    """
    for _attempt in range(_ATTEMPTS):
        old = set(session.channels or ())
        first = session.channel_name
        removed = {first if replace_first else remove} & old - {add}
        new = (old - removed) | ({add} if add else set())
        if replace_first or (add and not first):
            first = add
        elif first in removed:
            first = min(new, default="")
        if new == old and first == session.channel_name:
            return
        try:
            _commit(session, first, new, removed)
        except TransactWriteError as cancelled:
            _reread(session, cancelled)
        else:
            session.channels, session.channel_name = new or None, first
            return
    raise RateLimited("Too many channel changes at once: try again")


def _commit(session: WebSocketSession, first: str, new: set[str], removed: set[str]) -> None:
    unchanged: Condition = (
        WebSocketSession.channels == session.channels
        if session.channels
        else WebSocketSession.channels.does_not_exist()
    )
    actions: list[Action] = [WebSocketSession.channel_name.set(first)]
    actions.append(WebSocketSession.channels.set(new) if new else WebSocketSession.channels.remove())
    with TransactWrite(connection=connection()) as transaction:
        for name in sorted(removed):
            key = channels.shard_key(name, session.connection_id)
            transaction.delete(ChannelMembership(key, session.connection_id))
        for name in sorted(new - set(session.channels or ())):
            transaction.save(membership(session, name))
        # A row of its own: PynamoDB would otherwise overwrite the caller's session with a partial item.
        row = WebSocketSession(session.connection_id)
        transaction.update(row, actions=actions, condition=(WebSocketSession.connected == True) & unchanged)  # noqa: E712


def _reread(session: WebSocketSession, cancelled: TransactWriteError) -> None:
    if cancelled.cause_response_code != "TransactionCanceledException":
        raise cancelled
    try:
        session.refresh(consistent_read=True)
    except WebSocketSession.DoesNotExist:
        raise InvalidConnectionId() from cancelled
    if not session.connected:
        raise InvalidConnectionId() from cancelled
