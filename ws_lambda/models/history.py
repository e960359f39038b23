"""Reading a channel's messages in such a way that no message can appear later among those that were read.

If a number is missing between two others, a writer has taken it and has not stored its message yet, or has died before
it could. The reader waits for the message, then abandons the number; see `ChannelMessage`.
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
"""How much longer than HISTORY says messages are stored, so that a client can find the last message that it saw."""

PATIENCE = 2.0
"""Seconds that a reader waits for a missing message. A put takes some milliseconds."""

_RETRY = Retry(base=0.02, cap=0.4, within=PATIENCE)

_SETTLED = timedelta(minutes=15)
"""No writer is later: this is Lambda's longest invocation. Messages that are missing below older ones have expired.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

_WIDEST = 1000
"""How many missing numbers in a row may belong to writers. In a longer gap the channel's counter began again."""

_HIGHEST = 10**15
"""No number is higher, because counters begin with the milliseconds since 1970."""

_SPARE_ROWS = 10
_FEWEST_ROWS = 50
_MOST_ROWS = 2000
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Resume(Generic[Message]):
    """What a client that was away has missed."""

    messages: list[Message]
    """The missed messages, oldest first; or the newest ones, if not all are available."""

    recovered: bool
    """Whether `messages` is everything that it missed, without a gap."""


def history_of(channel_name: str) -> tuple[int, int]:
    """How many messages of a channel are kept, and for how many seconds; (0, 0) if none are kept."""
    return channels.setting_for(conf.HISTORY, channel_name, (0, 0))


def store(row: MessageRow) -> bool:
    """Stores a row under its number. Returns False if the number is taken, such as by a reader who abandoned it."""
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
    """See `ChannelMessage.since`. It reads once, so that a message appended in the meantime causes no gap."""
    length, seconds = history_of(channel_name)
    if not length or not channel_name or sequence > _HIGHEST:
        return Resume([], False)
    rows, abandoned = _settled(table, channel_name, length, max(sequence, 1))
    missed = [message for message in _messages(rows, seconds) if message.sequence > sequence]
    accounted = {message.sequence for message in missed} | {row.sequence for row in rows if row.abandoned}
    newest = int(rows[-1].sequence) if rows else 0
    is_known = sequence <= newest <= sequence + len(rows)
    unbroken = is_known and accounted.issuperset(range(sequence + 1, newest + 1))
    return Resume(missed[-length:], unbroken and len(missed) <= length and not abandoned)


def _messages(rows: Sequence[Message], seconds: int) -> list[Message]:
    """The messages that are not older than HISTORY allows."""
    since_then = clock.utcnow() - timedelta(seconds=seconds)
    return [row for row in rows if not row.abandoned and row.sent_at > since_then]


def _settled(table: type[Message], channel_name: str, length: int, floor: int) -> tuple[list[Message], bool]:
    """The newest rows from a number on, oldest first, once no other row can appear among them.

    Returns:
        The rows, and whether a number was abandoned.
    """
    attempts, impatient, abandoned = _RETRY.begin(), False, False
    top: int | None = None
    while True:
        rows = _newest(table, channel_name, length, floor, top)
        missing = list(_missing(rows))
        if not missing:
            return rows, abandoned
        top = int(rows[-1].sequence)
        late = [number for number, follower in missing if impatient or _age(follower) >= PATIENCE]
        if late:
            abandoned |= _abandon(table, channel_name, late, rows[-1])
        else:
            impatient = not attempts.wait()


def _newest(table: type[Message], channel_name: str, length: int, floor: int, top: int | None) -> list[Message]:
    """The newest rows, oldest first: at least as many as are replayed, and all that are younger than PATIENCE."""
    limit = max(length + 1 + _SPARE_ROWS, _FEWEST_ROWS)
    while True:
        rows = _newest_first(table, channel_name, limit, floor, top)
        if len(rows) < limit or limit >= _MOST_ROWS or _age(rows[-1]) >= PATIENCE:
            return [row for row in reversed(rows) if _is_evidence(row)]
        limit = min(limit * 4, _MOST_ROWS)


def _newest_first(table: type[Message], channel_name: str, limit: int, floor: int, top: int | None) -> list[Message]:
    """The newest rows from one number to another, including abandoned ones, by one consistent read."""
    numbers = table.sequence >= floor if top is None else table.sequence.between(floor, top)
    return list(table.query(channel_name, numbers, scan_index_forward=False, limit=limit, consistent_read=True))


def _is_evidence(row: MessageRow) -> bool:
    """Whether no later row can have expired and been deleted before this one."""
    _length, seconds = history_of(row.channel_name)
    return min(row.sent_at + timedelta(seconds=seconds) + SPARE, row.expires_at) > clock.utcnow()


def _missing(rows: Sequence[Message]) -> Iterator[tuple[int, Message]]:
    """The numbers that a writer may still use, each with the row after it."""
    for before, after in pairwise(rows):
        if after.sequence - before.sequence <= _WIDEST and _age(after) < _SETTLED.total_seconds():
            for number in range(int(before.sequence) + 1, int(after.sequence)):
                yield number, after


def _age(row: MessageRow) -> float:
    return (clock.utcnow() - row.sent_at).total_seconds()


def _abandon(table: type[Message], channel_name: str, numbers: Sequence[int], newest: MessageRow) -> bool:
    """Stores that those numbers have no message. Returns whether any of them was free."""

    def abandon(number: int) -> bool:
        row = table(
            channel_name, number, payload={}, abandoned=True, sent_at=newest.sent_at, expires_at=newest.expires_at
        )
        return store(row)

    if len(numbers) == 1:
        return abandon(numbers[0])
    with ThreadPoolExecutor(min(_THREADS, len(numbers)), "ws-abandon") as pool:
        return any(list(pool.map(abandon, numbers)))
