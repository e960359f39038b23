"""Joining and leaving channels while the connection is open: one transaction each."""

from collections.abc import Iterable, Iterator
from enum import Enum, auto

from pynamodb.attributes import UnicodeSetAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from ws_lambda import channels
from ws_lambda.conf import conf
from ws_lambda.exceptions import InvalidConnectionId, PermissionRefused, RateLimited, TooManyChannels
from ws_lambda.tables import idempotency
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.sessions import SessionRow
from ws_lambda.tables.shared_connection import connection

_ATTEMPTS = 5


class JudgedBy(Enum):
    """Who decides whether a user may stay in a channel. It is who decided that the user may join."""

    VIEW = auto()
    """The view's `can_join_channel`."""

    STORED = auto()
    """Only the stored permissions."""

    NOBODY = auto()
    """Nobody: the project's own code let the user in without a check."""


def enter(session: SessionRow, channel_name: str, judged_by: JudgedBy) -> None:
    """Adds one channel, whose name has been checked. See `WebSocketSession.join`."""
    _rewrite(session, add=channel_name, judged_by=judged_by)


def leave(session: SessionRow, *channel_names: str) -> None:
    """Removes channels. See `WebSocketSession.leave`."""
    _rewrite(session, remove=channel_names)


def change(session: SessionRow, channel_name: str, judged_by: JudgedBy) -> None:
    """Replaces the first channel by one whose name has been checked. See `WebSocketSession.change_channel`."""
    _rewrite(session, add=channel_name, replace_first=True, judged_by=judged_by)


def change_as_view(session: SessionRow, channel_name: str) -> None:
    """Replaces the first channel for a view that has let the user in by its own rule."""
    channels.check_name(channel_name)
    check_bound(session, channel_name)
    change(session, channel_name, JudgedBy.VIEW)


def check_bound(session: SessionRow, channel_name: str) -> None:
    """Refuses other channels to a connection whose token was minted for one channel.

    Raises:
        PermissionRefused: the connection may not enter this channel.
    """
    if session.bound_channel and channel_name != session.bound_channel:
        raise PermissionRefused()


def _rewrite(
    session: SessionRow, *, add: str = "", remove: Iterable[str] = (), replace_first: bool = False,
    judged_by: JudgedBy = JudgedBy.VIEW,
) -> None:  # fmt: skip
    """Stores the session's new channels and its rows in the rosters, if its channels have not changed.

    Another process may be handling another message of the same connection. Then the session is read again, and the
    change is worked out again. Joining a channel a second time can change who judges it only to nobody.
    """
    for _attempt in range(_ATTEMPTS):
        old = set(session.channels or ())
        first = session.channel_name
        removed = ({first} if replace_first else set(remove)) & old - {add}
        new = (old - removed) | ({add} if add else set())
        if replace_first or (add and not first):
            first = add
        elif first in removed:
            first = min(new, default="")
        unchecked, joined = _marks(session, new, add, judged_by)
        if new == old and first == session.channel_name and unchecked == (session.unjudged_channels or set()):
            return
        if len(new) > max(len(old), conf.CHANNELS_PER_CONNECTION):
            raise TooManyChannels()
        try:
            _commit(session, first, new, removed, unchecked, joined)
        except TransactWriteError as cancelled:
            _reread(session, cancelled)
        else:
            session.channels, session.channel_name = new or None, first
            session.unjudged_channels, session.joined_channels = unchecked or None, joined or None
            return
    raise RateLimited("Too many channel changes at once: try again")


def _marks(session: SessionRow, new: set[str], add: str, judged_by: JudgedBy) -> tuple[set[str], set[str]]:
    """Which of the new channels nobody judges, and which are judged by the stored permissions only.

    A mark can outlive its channel, if one process marked it while another was leaving it. It has no effect then.
    """
    stay = new & set(session.channels or ())
    unchecked, joined = set(session.unjudged_channels or ()) & stay, set(session.joined_channels or ()) & stay
    if judged_by is JudgedBy.NOBODY:
        return unchecked | {add}, joined - {add}
    if judged_by is JudgedBy.STORED and add not in (session.channels or ()):
        joined.add(add)
    return unchecked, joined


def _commit(
    session: SessionRow, first: str, new: set[str], removed: set[str], unchecked: set[str], joined: set[str]
) -> None:
    unchanged: Condition = (
        SessionRow.channels == session.channels if session.channels else SessionRow.channels.does_not_exist()
    )
    actions: list[Action] = [SessionRow.channel_name.set(first)]
    actions.append(SessionRow.channels.set(new) if new else SessionRow.channels.remove())
    actions += _changes(SessionRow.unjudged_channels, session.unjudged_channels, unchecked)
    actions += _changes(SessionRow.joined_channels, session.joined_channels, joined)
    with TransactWrite(connection=connection()) as transaction:
        for name in sorted(removed):
            transaction.delete(ChannelMembership.key_of(session.connection_id, name))
        for name in sorted(new - set(session.channels or ())):
            transaction.save(ChannelMembership.of(session, name))
        # With the caller's session, PynamoDB would overwrite it with a partial item.
        row = SessionRow(session.connection_id)
        transaction.update(row, actions=actions, condition=(SessionRow.connected == True) & unchanged)  # noqa: E712


def _changes(attribute: UnicodeSetAttribute, old: set[str] | None, new: set[str]) -> Iterator[Action]:
    """Updates only what differs, because another process may be marking another channel."""
    was = old or set()
    if new - was and was - new:
        yield attribute.set(new)  # one expression cannot both add to an attribute and delete from it
    elif new - was:
        yield attribute.add(new - was)
    elif was - new:
        yield attribute.delete(was - new)


def _reread(session: SessionRow, cancelled: TransactWriteError) -> None:
    if idempotency.response_code(cancelled) != "TransactionCanceledException":
        raise cancelled
    try:
        session.refresh(consistent_read=True)
    except session.DoesNotExist:
        raise InvalidConnectionId() from cancelled
    if not session.connected:
        raise InvalidConnectionId() from cancelled
