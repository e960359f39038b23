"""Reading a channel's messages so that nothing appears later among what has been read.

A number that is missing between two others belongs to a writer who is between taking it and storing its message, or who
has died there. The reader waits for it, then buries it; see `ChannelMessage`.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Generic, TypeVar

from pynamodb.exceptions import PutError

from ws_lambda import channels, clock
from ws_lambda.conf import conf
from ws_lambda.retrying import Retry
from ws_lambda.tables.messages import MessageRow
from ws_lambda.tables.shared_connection import condition_failed

Message = TypeVar("Message", bound=MessageRow)

SPARE = timedelta(days=1)
"""How much longer than HISTORY says a message stays in the table, for a client to find the last one that it saw."""

PATIENCE = 2.0
"""Seconds that a reader waits for a number. A put takes some milliseconds."""

_RETRY = Retry(base=0.02, cap=0.4, within=PATIENCE)

_SETTLED = timedelta(minutes=15)
"""No writer is later than this: it is Lambda's longest invocation. What is missing below older messages has gone.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

_WIDEST = 1000
"""Numbers missing in a row that may be writers'. More are those between the old count of a channel and a new one."""

_HIGHEST = 10**15
"""No number is higher: they begin with milliseconds since 1970."""

_SPARE_ROWS = 10
_FEWEST_ROWS = 50
_MOST_ROWS = 2000
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Resume(Generic[Message]):
    """What a client that was away is told."""

    messages: list[Message]
    """What it missed, oldest first; or the newest ones, where not all can be given."""

    recovered: bool
    """Whether `messages` is everything it missed, without a gap."""


def history_of(channel_name: str) -> tuple[int, int]:
    """How many messages of a channel are replayed, and for how many seconds one is; (0, 0) where none are kept."""
    return channels.setting_for(conf.HISTORY, channel_name, (0, 0))


def store(row: MessageRow) -> bool:
    """Stores a row under its number; False if there is one already, such as that of a reader who buried it."""
    try:
        row.save(condition=MessageRow.sequence.does_not_exist())
    except PutError as refused:
        if not condition_failed(refused):
            raise
        return False
    return True


def recent(table: type[Message], channel_name: str) -> list[Message]:
    """See `ChannelMessage.recent`."""
    length, seconds = history_of(channel_name)
    if not length or not channel_name:
        return []
    rows, _buried = _settled(table, channel_name, length, 1)
    return _messages(rows, seconds)[-length:]


def since(table: type[Message], channel_name: str, sequence: int) -> Resume[Message]:
    """See `ChannelMessage.since`. It reads once, so a message that is appended meanwhile makes no gap."""
    length, seconds = history_of(channel_name)
    if not length or not channel_name or sequence > _HIGHEST:
        return Resume([], False)
    rows, buried = _settled(table, channel_name, length, max(sequence, 1))
    missed = [message for message in _messages(rows, seconds) if message.sequence > sequence]
    accounted = {message.sequence for message in missed} | {row.sequence for row in rows if row.buried}
    newest = int(rows[-1].sequence) if rows else 0
    is_known = sequence <= newest <= sequence + len(rows)
    unbroken = is_known and accounted.issuperset(range(sequence + 1, newest + 1))
    return Resume(missed[-length:], unbroken and len(missed) <= length and not buried)


def _messages(rows: Sequence[Message], seconds: int) -> list[Message]:
    """Those of HISTORY's age."""
    since_then = clock.utcnow() - timedelta(seconds=seconds)
    return [row for row in rows if not row.buried and row.sent_at > since_then]


def _settled(table: type[Message], channel_name: str, length: int, floor: int) -> tuple[list[Message], bool]:
    """The newest rows from a number on, oldest first, once no other can come between; and whether one was buried."""
    attempts, impatient, buried = _RETRY.begin(), False, False
    top: int | None = None
    while True:
        rows = _newest(table, channel_name, length, floor, top)
        missing = list(_missing(rows))
        if not missing:
            return rows, buried
        top = int(rows[-1].sequence)
        late = [number for number, follower in missing if impatient or _age(follower) >= PATIENCE]
        if late:
            buried |= _bury(table, channel_name, late, rows[-1])
        else:
            impatient = not attempts.wait()


def _newest(table: type[Message], channel_name: str, length: int, floor: int, top: int | None) -> list[Message]:
    """At least as many of the newest rows as are replayed, oldest first, and all that are too young to be settled."""
    limit = max(length + 1 + _SPARE_ROWS, _FEWEST_ROWS)
    while True:
        rows = _newest_first(table, channel_name, limit, floor, top)
        if len(rows) < limit or limit >= _MOST_ROWS or _age(rows[-1]) >= PATIENCE:
            return [row for row in reversed(rows) if _is_evidence(row)]
        limit = min(limit * 4, _MOST_ROWS)


def _newest_first(table: type[Message], channel_name: str, limit: int, floor: int, top: int | None) -> list[Message]:
    """The newest rows from one number to another, buried ones too, in one consistent read."""
    numbers = table.sequence >= floor if top is None else table.sequence.between(floor, top)
    return list(table.query(channel_name, numbers, scan_index_forward=False, limit=limit, consistent_read=True))


def _is_evidence(row: MessageRow) -> bool:
    """Whether nothing that came after the row can have expired before it, and been deleted."""
    _length, seconds = history_of(row.channel_name)
    return min(row.sent_at + timedelta(seconds=seconds) + SPARE, row.expires_at) > clock.utcnow()


def _missing(rows: Sequence[Message]) -> Iterator[tuple[int, Message]]:
    """The numbers that a writer may still fill, each with the row after it."""
    for before, after in pairwise(rows):
        if after.sequence - before.sequence <= _WIDEST and _age(after) < _SETTLED.total_seconds():
            for number in range(int(before.sequence) + 1, int(after.sequence)):
                yield number, after


def _age(row: MessageRow) -> float:
    return (clock.utcnow() - row.sent_at).total_seconds()


def _bury(table: type[Message], channel_name: str, numbers: Sequence[int], newest: MessageRow) -> bool:
    """Writes down that there is no message under those numbers; whether that is so of any of them."""

    def bury(number: int) -> bool:
        row = table(channel_name, number, payload={}, buried=True, sent_at=newest.sent_at, expires_at=newest.expires_at)
        return store(row)

    if len(numbers) == 1:
        return bury(numbers[0])
    with ThreadPoolExecutor(min(_THREADS, len(numbers)), "ws-bury") as pool:
        return any(list(pool.map(bury, numbers)))
