"""Revalidating many open connections at once: for the schedule, and when a user's permissions change.

`revocation.revalidate` does it for one connection when it sends a message.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ws_lambda.gatekeeping.connection_view import view_of
from ws_lambda.gatekeeping.decisions import DISCONNECT, Decision, decide, remove_from_channels
from ws_lambda.gatekeeping.lookup_cache import LookupCache
from ws_lambda.models.batch_leaving import ChannelRemoval, leave_many
from ws_lambda.models.channel_permissions import refresh
from ws_lambda.models.disconnecting import disconnect_all
from ws_lambda.models.login_marks import ended_among
from ws_lambda.models.owners import login_holds
from ws_lambda.models.session import WebSocketSession
from ws_lambda.models.sockets import close_sockets

_THREADS = 8


@dataclass(kw_only=True)
class RevalidationResult:
    """The outcome of revalidating connections."""

    evicted: int = 0
    """Closed connections: the user is gone, the login has ended, or the view or every channel is no longer allowed."""

    removed: int = 0
    """Channels that connections were removed from, including those of closed connections."""

    unchecked: int = 0
    """Connections that stay open because a check raised an error, which has been logged."""

    def __add__(self, other: "RevalidationResult") -> "RevalidationResult":
        return RevalidationResult(
            evicted=self.evicted + other.evicted,
            removed=self.removed + other.removed,
            unchecked=self.unchecked + other.unchecked,
        )


def revalidate_many(sessions: Sequence[WebSocketSession], cache: LookupCache | None = None) -> RevalidationResult:
    """Closes connections whose user is gone or whose login has ended, and removes others from forbidden channels.

    Args:
        sessions: complete rows that have just been read. Closed and anonymous ones are skipped.
        cache: the cache of this run. Each user and each login is looked up once in a run.

    Raises:
        whatever the auth backend raises, except for the data of a single user that it cannot read. No connection has
            been changed then.
    """
    cache = cache or LookupCache()
    owned = [one for one in sessions if one.connected and one.user_id]
    cache.prefetch(owned)
    readable = [one for one in owned if cache.can_read_user(one)]
    result = RevalidationResult(unchecked=len(owned) - len(readable))
    if not readable:
        return result
    if not cache.permissions_read:
        refresh()
        cache.permissions_read = True
    for session in readable:
        cache.login_goes_on(session)
    # A logout also removes the login from its session engine, so marks matter only for logins not found there.
    ended = ended_among({one.login_id for one in readable if one.login_id} - cache.seen.keys())
    decisions: list[tuple[WebSocketSession, Decision]] = []
    for session in readable:
        answers = _ask(session, cache, ended)
        if any(answers) and cache.reread_user(session):
            answers = _ask(session, cache, ended)
        result.unchecked += None in answers
        decisions.append((session, next((one for one in answers if one), Decision())))
    _carry_out(decisions, result)
    return result


def _ask(session: WebSocketSession, cache: LookupCache, ended: set[str]) -> Sequence[Decision | None]:
    """The decisions about a connection, by its login and by its view; None for a check that failed."""
    user = cache.user(session)
    session.user = user
    if session.login_id in ended or not login_holds(user, session.auth_hash or ""):
        return [DISCONNECT]
    goes_on = cache.login_goes_on(session)
    of_login = None if goes_on is None else Decision() if goes_on else DISCONNECT
    return [of_login, _of_view(session, user, cache)]


def _of_view(session: WebSocketSession, user: Any, cache: LookupCache) -> Decision | None:
    """The decision of a connection's view; None if it failed."""
    if session.connect_path is None:  # opened by a version that did not store the path
        return Decision()
    try:
        return decide(session, *view_of(session, user))
    except Exception as error:
        cache.fail(f"Revalidating connections of {session.connect_path} raised {type(error).__name__}", error, session)
        return None


def _carry_out(decisions: Sequence[tuple[WebSocketSession, Decision]], result: RevalidationResult) -> None:
    try:  # if closing one fails, others must still lose their channels
        result.evicted += disconnect_all([session.recipient for session, found in decisions if not found.may_stay])
    finally:
        losing = [ChannelRemoval(session, found.lost) for session, found in decisions if found.may_stay and found.lost]
        if losing:
            _take_channels(losing, result)


def _take_channels(losing: Sequence[ChannelRemoval], result: RevalidationResult) -> None:
    removed = leave_many(losing)
    closed = [one.session.recipient for one in removed.done if not one.session.connected]
    result.evicted += len(closed)
    result.removed += sum(len(one.lost) for one in removed.done)
    try:
        _one_by_one([*removed.changed, *removed.undone], result)
    finally:
        close_sockets(closed)


def _one_by_one(removals: Sequence[ChannelRemoval], result: RevalidationResult) -> None:
    """Removes channels from connections that were changing theirs in the meantime."""
    if not removals:
        return
    with ThreadPoolExecutor(min(_THREADS, len(removals)), "ws-revalidate") as pool:
        stays = list(pool.map(remove_from_channels, (one.session for one in removals), (one.lost for one in removals)))
    result.removed += sum(len(one.lost) for one in removals)
    left = [one.session.recipient for one, may_stay in zip(removals, stays, strict=True) if not may_stay]
    result.evicted += disconnect_all(left)
