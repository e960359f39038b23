"""Putting members out of channels that no longer admit them: page by page, and by the schedule where time is up."""

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
"""Of the work that is noted as unfinished."""

PAGE = 500
"""Connections between two glances at the clock: ten transactions at once."""

NAMED = 20
"""Up to so many of those put out are named in the result."""

GRACE = 2.0
"""Seconds before a deadline that are kept for a page which has been begun, and for noting where it was left."""

_ROUNDS = 4

_log = logging.getLogger("ws_lambda")


@dataclass(frozen=True, slots=True)
class Eviction:
    """One connection that was put out."""

    connection_id: str
    channel_names: tuple[str, ...]
    disconnected: bool
    """Whether its session was closed: it was in no other channel, or could not be put out in another way."""


@dataclass(kw_only=True)
class EvictionResult:
    """What came of putting members out."""

    checked: int = 0
    """Connections whose channels were judged."""

    evicted: int = 0
    """Connections put out of one channel or several."""

    disconnected: int = 0
    """Of those, connections whose sessions were closed."""

    removed: int = 0
    """Channels taken away, those of closed sessions among them."""

    unclosed: int = 0
    """Sockets of closed sessions that could not be closed now. The schedule tries again."""

    undone: int = 0
    """Connections that are still in, because DynamoDB did not do it. The schedule tries again."""

    complete: bool = False
    """Whether all have been looked at. Otherwise the time was up, and the schedule goes on."""

    named: list[Eviction] = field(default_factory=list)
    """The first NAMED of those put out."""

    def note_unclosed(self, report: delivery.DeliveryReport) -> None:
        """Counts the sockets that could not be closed."""
        self.unclosed += len(report.failed)

    def __str__(self) -> str:
        said = f"{self.evicted} put out, {self.disconnected} of them disconnected"
        if self.undone:
            said += f"; {self.undone} could not be put out now, and the schedule tries again"
        if not self.complete:
            said += "; the time was up, and the schedule puts out the rest"
        return f"{said}."


Progress = Callable[[EvictionResult], object]
"""Called after every page."""


def evict(pattern: str, *, seconds: float = float("inf"), progress: Progress | None = None) -> EvictionResult:
    """Puts out whom the stored permissions do not admit now. Channels entered by `join(check=False)` are left alone.

    What is left after the time, or could not be done, is the schedule's: that is noted before anything else, so it
    holds where this process is ended, too.

    Args:
        pattern: a channel, or a prefix ending in `*`; a prefix reads every open connection, a channel its roster.
        seconds: how long it may take. A deadline of the invocation (`delivery.deadline`) that is nearer holds.

    Raises:
        DeliveryError: DynamoDB could not be read, or sockets not be closed.
        whatever the auth backend raises.
    """
    return go_on(unfinished_work.begin(KIND, pattern), seconds=seconds, progress=progress)


def go_on(work: UnfinishedWork, *, seconds: float = float("inf"), progress: Progress | None = None) -> EvictionResult:
    """Does what is left of an eviction; see `evict`. One page is done however little time there is."""
    forget_cache()
    result, cache, pattern = EvictionResult(), LookupCache(), work.about
    ends = min(time.monotonic() + seconds, ends_at() - GRACE)
    with delivery.deadline(ends + GRACE - time.monotonic()), SocketCloser(result.note_unclosed) as sockets:
        for ids, following in _pages(pattern, work.place):
            closed: list[delivery.Recipient] = []
            try:
                _put_out(ids, pattern, cache, result, closed)
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
        unfinished_work.leave(work, {})  # from the beginning
    else:
        unfinished_work.end(work)
    return result


def _undone(place: Mapping[str, Any]) -> int:
    found = place.get("undone")
    return found if isinstance(found, int) else 0


def _pages(pattern: str, place: Mapping[str, Any]) -> Iterator[tuple[list[str], delivery.KeyRange | None]]:
    """Ids of connections that may be in such a channel, and where the next ones begin; None at the end."""
    exact = not channels.is_pattern(pattern)
    parts = delivery.roster.parts_of(delivery.ChannelMembers(pattern) if exact else delivery.Everyone())
    left = _left_at(place, parts)
    while left:
        page, rest = delivery.roster.page(left[0], PAGE)
        left = [rest, *left[1:]] if rest else left[1:]
        yield [one.connection_id for one in page], (left[0] if left else None)


def _left_at(place: Mapping[str, Any], parts: list[delivery.KeyRange]) -> list[delivery.KeyRange]:
    """The parts from a stored place on. One that does not fit is none: it is begun anew."""
    stored = place.get("part")
    if not stored:
        return parts
    after = stored.get("after") if isinstance(stored, Mapping) else None
    for number, part in enumerate(parts):
        if stored == {**part.as_dict(), "after": after} and (after == "" or part.fits(after)):
            return [part.resumed_at(str(after)), *parts[number + 1 :]]
    _log.warning("The place %r of an eviction fits nothing here: it begins anew", stored)
    return parts


def _put_out(
    ids: list[str], pattern: str, cache: LookupCache, result: EvictionResult, closed: list[delivery.Recipient]
) -> None:
    """Puts out whoever of those is not admitted. Who changes channels meanwhile is judged again.

    Args:
        closed: gets those whose sockets are to be closed, whatever is raised.
    """
    result.checked += len(ids)
    for _round in range(_ROUNDS):
        removed = leave_many(_not_admitted(ids, pattern, cache))
        closed += [one.session.recipient for one in removed.done if not one.session.connected]
        _tell(removed, result)
        ids = [one.session.connection_id for one in removed.changed]
        if not ids:
            return
    # They change their channels faster than they can be taken out of one.
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
        judged = set(channels_of(session)) - (session.unjudged_channels or set())
        lost = frozenset(name for name in judged if channels.best_match([pattern], name) and not may_join(user, name))
        if lost:
            removals.append(ChannelRemoval(session, lost))
    return removals


def _tell(removed: RemovalResult, result: EvictionResult) -> None:
    for one in removed.done:
        _note(one, result)
    if removed.undone:
        result.undone += len(removed.undone)
        _log.error("%d members could not be put out: %s", len(removed.undone), removed.error)


def _note(one: ChannelRemoval, result: EvictionResult) -> None:
    result.evicted += 1
    result.removed += len(one.lost)
    result.disconnected += not one.session.connected
    if len(result.named) < NAMED:
        names = tuple(sorted(one.lost))
        result.named.append(Eviction(one.session.connection_id, names, disconnected=not one.session.connected))
