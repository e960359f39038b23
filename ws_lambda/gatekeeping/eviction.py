"""Removing members from channels that no longer admit them, page by page. The schedule does what is left."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ws_lambda import channels, delivery
from ws_lambda.deadlines import ends_at
from ws_lambda.gatekeeping.lookup_cache import LookupCache
from ws_lambda.models import unfinished_work
from ws_lambda.models.batch_leaving import ChannelRemoval, RemovalResult, leave_many, read_sessions
from ws_lambda.models.channel_permissions import forget_cache, may_join
from ws_lambda.models.disconnecting import disconnect_all
from ws_lambda.models.sockets import SocketCloser
from ws_lambda.tables.rate_limits import UnfinishedWork
from ws_lambda.tables.sessions import channels_of

KIND: Final = "evict"
"""The kind of unfinished work."""

PAGE = 500
"""How many connections are checked before the time is checked again: ten transactions at once."""

NAMED = 20
"""How many evicted connections the result lists at most."""

GRACE = 2.0
"""Seconds before the deadline that are reserved for a page that has begun, and for storing the position."""

_ROUNDS = 4

_log = logging.getLogger("ws_lambda")


@dataclass(frozen=True, slots=True)
class Eviction:
    """One evicted connection."""

    connection_id: str
    channel_names: tuple[str, ...]
    disconnected: bool
    """Whether its session was closed, because it was in no other channel or could not be removed in another way."""


@dataclass(kw_only=True)
class EvictionResult:
    """The outcome of an eviction."""

    checked: int = 0
    """Connections whose channels were checked."""

    evicted: int = 0
    """Connections that were removed from one or more channels."""

    disconnected: int = 0
    """Those of them whose sessions were closed."""

    removed: int = 0
    """Channels that connections were removed from, including those of closed sessions."""

    unclosed: int = 0
    """Sockets of closed sessions that could not be closed now. The schedule tries again."""

    undone: int = 0
    """Connections that could not be removed because of an error of DynamoDB. The schedule tries again."""

    complete: bool = False
    """Whether all connections were checked. If not, the time was up, and the schedule continues."""

    named: list[Eviction] = field(default_factory=list)
    """The first NAMED evicted connections."""

    def note_unclosed(self, report: delivery.DeliveryReport) -> None:
        """Counts the sockets that could not be closed."""
        self.unclosed += len(report.failed)

    def __str__(self) -> str:
        said = f"{self.evicted} removed, {self.disconnected} of them disconnected"
        if self.undone:
            said += f"; {self.undone} could not be removed, and the schedule will try again"
        if not self.complete:
            said += "; the time was up, and the schedule will remove the rest"
        return f"{said}."


Progress = Callable[[EvictionResult], object]
"""Called after every page."""


def evict(pattern: str, *, seconds: float = float("inf"), progress: Progress | None = None) -> EvictionResult:
    """Removes members whom the stored permissions no longer admit. Channels joined with `check=False` are skipped.

    The task is stored before anything else. So the schedule does the rest if the time is up, if DynamoDB fails, and
    even if this process is killed.

    Args:
        pattern: a channel, or a prefix ending in `*`. A prefix reads all open connections, a channel its roster.
        seconds: how long it may take, if the deadline of the invocation (`delivery.deadline`) does not come first.
        progress: called with the result so far, after every page.

    Raises:
        DeliveryError: DynamoDB could not be read, or sockets could not be closed.
        whatever the auth backend raises.
    """
    return go_on(unfinished_work.begin(KIND, pattern), seconds=seconds, progress=progress)


def go_on(work: UnfinishedWork, *, seconds: float = float("inf"), progress: Progress | None = None) -> EvictionResult:
    """Continues an eviction; see `evict`. At least one page is done, however little time there is."""
    forget_cache()
    result, cache, pattern = EvictionResult(), LookupCache(), work.about
    ends = min(time.monotonic() + seconds, ends_at() - GRACE)
    with delivery.deadline(ends + GRACE - time.monotonic()), SocketCloser(result.note_unclosed) as sockets:
        for ids, following in _pages(pattern, work.place):
            closed: list[delivery.Recipient] = []
            try:
                _remove(ids, pattern, cache, result, closed)
            finally:
                sockets.begin(closed, more=following is not None)
            if progress is not None:
                progress(result)
            if following and time.monotonic() >= ends:
                unfinished_work.leave(
                    work, {"part": following.as_dict(), "undone": result.undone + _undone(work.place)}
                )
                return result
    result.complete = True
    if result.undone or _undone(work.place):
        unfinished_work.leave(work, {})  # from the start
    else:
        unfinished_work.end(work)
    return result


def _undone(place: Mapping[str, Any]) -> int:
    found = place.get("undone")
    return found if isinstance(found, int) else 0


def _pages(pattern: str, place: Mapping[str, Any]) -> Iterator[tuple[list[str], delivery.KeyRange | None]]:
    """Ids of connections that may be in such a channel, and where the next page begins; None at the end."""
    exact = not channels.is_pattern(pattern)
    parts = delivery.roster.parts_of(delivery.ChannelMembers(pattern) if exact else delivery.Everyone())
    left = _left_at(place, parts)
    while left:
        page, rest = delivery.roster.page(left[0], PAGE)
        left = [rest, *left[1:]] if rest else left[1:]
        yield [one.connection_id for one in page], (left[0] if left else None)


def _left_at(place: Mapping[str, Any], parts: list[delivery.KeyRange]) -> list[delivery.KeyRange]:
    """The parts from a stored position on. If the position does not fit, all parts."""
    stored = place.get("part")
    if not stored:
        return parts
    after = stored.get("after") if isinstance(stored, Mapping) else None
    for number, part in enumerate(parts):
        if stored == {**part.as_dict(), "after": after} and (after == "" or part.fits(after)):
            return [part.resumed_at(str(after)), *parts[number + 1 :]]
    _log.warning("The stored position %r of an eviction does not fit, so the eviction begins again", stored)
    return parts


def _remove(
    ids: list[str], pattern: str, cache: LookupCache, result: EvictionResult, closed: list[delivery.Recipient]
) -> None:
    """Removes the connections that are not admitted. Those that change channels in the meantime are checked again.

    Args:
        closed: receives the connections whose sockets must be closed, even if this raises an error.
    """
    result.checked += len(ids)
    for _round in range(_ROUNDS):
        removed = leave_many(_not_admitted(ids, pattern, cache))
        closed += [one.session.recipient for one in removed.done if not one.session.connected]
        _record(removed, result)
        ids = [one.session.connection_id for one in removed.changed]
        if not ids:
            return
    # They change their channels too fast to be removed from one.
    for one in _not_admitted(ids, pattern, cache):
        disconnect_all([one.session.recipient])
        one.session.connected, one.lost = False, frozenset(channels_of(one.session))
        _note(one, result)


def _not_admitted(ids: list[str], pattern: str, cache: LookupCache) -> list[ChannelRemoval]:
    sessions = [one for one in read_sessions(ids) if one.connected] if ids else []
    cache.prefetch([one for one in sessions if one.user_id])
    removals = []
    for session in sessions:
        user = cache.user(session) if session.user_id and cache.can_read_user(session) else None
        checked = set(channels_of(session)) - (session.unjudged_channels or set())
        lost = frozenset(name for name in checked if channels.best_match([pattern], name) and not may_join(user, name))
        if lost:
            removals.append(ChannelRemoval(session, lost))
    return removals


def _record(removed: RemovalResult, result: EvictionResult) -> None:
    for one in removed.done:
        _note(one, result)
    if removed.undone:
        result.undone += len(removed.undone)
        _log.error("%d members could not be removed: %s", len(removed.undone), removed.error)


def _note(one: ChannelRemoval, result: EvictionResult) -> None:
    result.evicted += 1
    result.removed += len(one.lost)
    result.disconnected += not one.session.connected
    if len(result.named) < NAMED:
        names = tuple(sorted(one.lost))
        result.named.append(Eviction(one.session.connection_id, names, disconnected=not one.session.connected))
