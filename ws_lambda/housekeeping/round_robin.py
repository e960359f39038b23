"""Whose turn it is: every connection is looked at once in half an hour, whatever the rate of the schedule."""

from collections.abc import Iterable
from zlib import crc32

TURN_SECONDS = 60
TURNS = 30
"""Turns of a minute: half an hour until a connection's comes round."""


def turn_at(moment: float) -> int:
    """The number of the turn at a time, in seconds since the epoch."""
    return int(moment // TURN_SECONDS)


def due(done: int | None, moment: float) -> range:
    """The turns from the one after `done` to the present one, but none twice. With nothing done, the present one:
    the others come within half an hour."""
    now = turn_at(moment)
    if done is None or done > now:
        return range(now, now + 1)
    return range(max(done + 1, now - TURNS + 1), now + 1)


def everybodys(moment: float) -> range:
    """As many turns as there are."""
    now = turn_at(moment)
    return range(now - TURNS + 1, now + 1)


def places(turns: Iterable[int]) -> frozenset[int]:
    """Which of the TURNS groups of connections have these turns."""
    return frozenset(turn % TURNS for turn in turns)


def place_of(user_id: str, connection_id: str) -> int:
    """The group of a connection. All connections of a user are in one: the user is read once for all of them."""
    return crc32((user_id or connection_id).encode()) % TURNS
