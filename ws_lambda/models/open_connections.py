"""The open connections of a user, for CONNECTIONS_PER_USER: one set of ids for each user.

A connect adds its id in its transaction. `$disconnect` removes it in the request that removes the memberships. A
connection that is closed in another way (by a logout, a 410 or the schedule) leaves its id in the set. `heal` removes
such ids when the set is full.
"""

from typing import Any

from pynamodb.expressions.condition import Condition, size

from ws_lambda import clock
from ws_lambda.exceptions import TooManyOpen
from ws_lambda.models.rate_limits import full_users
from ws_lambda.models.transactions import DecidingWrite
from ws_lambda.tables.rate_limits import OpenConnections
from ws_lambda.tables.sessions import MAX_DURATION, SessionRow


def ids_of(user_id: str) -> set[str]:
    """The ids in a user's set. Some of these connections may have closed."""
    row = OpenConnections.of(user_id)
    try:
        row.refresh(consistent_read=True)
    except OpenConnections.DoesNotExist:
        return set()
    return set(row.connection_ids or ())


def add(transaction: DecidingWrite, user_id: str, connection_id: str, limit: int) -> None:
    """Adds to a transaction: put a connection into the user's set, if the set has fewer than `limit` ids.

    The transaction raises `TooManyOpen` if the limit is reached. Adding an id twice changes nothing.
    """
    row, ids = OpenConnections.of(user_id), OpenConnections.connection_ids
    below: Condition = ids.contains(connection_id)
    if limit > 0:
        has_room: Condition = size("connection_ids") < limit  # type: ignore[no-untyped-call]
        below = ids.does_not_exist() | has_room | below
    transaction.update(row, [ids.add({connection_id}), _lives_on(row)], below, means=TooManyOpen)


def remove(transaction: DecidingWrite | None, user_id: str, connection_id: str) -> None:
    """Removes a connection from the user's set, in a transaction or in a request of its own."""
    row = OpenConnections.of(user_id)
    actions = [OpenConnections.connection_ids.delete({connection_id}), _lives_on(row)]
    if transaction is None:
        row.update(actions=actions)
    else:
        transaction.update(row, actions)


def heal(user_id: str) -> bool:
    """Removes the ids of connections that are no longer open: two reads, and one update if there are any.

    If all are open, the process does not check again in the same minute.

    Returns:
        Whether there is room now.
    """
    if full_users.hits(user_id):
        return False
    row = OpenConnections.of(user_id)
    try:
        row.refresh(consistent_read=True)
    except OpenConnections.DoesNotExist:
        return True
    listed = set(row.connection_ids or ())
    closed = listed - _open_among(listed)
    if closed:
        row.update(actions=[OpenConnections.connection_ids.delete(closed)])
    else:
        full_users.note(user_id, 1)
    return bool(closed)


def _open_among(connection_ids: set[str]) -> set[str]:
    """The ids whose session is open, and not older than a connection can be.

    A transaction's items become visible one after the other, so an id may be visible before its session. Unknown ids
    are therefore read a second time.
    """
    oldest = clock.utcnow() - MAX_DURATION
    found = {one.connection_id: one for one in _read(connection_ids)}
    found |= {one.connection_id: one for one in _read(connection_ids - found.keys())}
    return {name for name, one in found.items() if one.connected and one.connected_at > oldest}


def _read(connection_ids: set[str]) -> list[SessionRow]:
    if not connection_ids:
        return []
    wanted = ["connection_id", "connected", "connected_at"]
    return list(SessionRow.batch_get(list(connection_ids), consistent_read=True, attributes_to_get=wanted))


def _lives_on(row: OpenConnections) -> Any:
    return OpenConnections.expires_at.set(row.expires_at)
