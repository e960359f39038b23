"""Which connections have their turn: each is checked once in half an hour, whatever the rate of the schedule."""

from collections.abc import Iterable
from zlib import crc32

TURN_SECONDS = 60
TURNS = 30
"""How many turns there are: thirty minutes until a connection's next turn."""


def turn_at(moment: float) -> int:
    """The number of the turn at a time in seconds since the epoch."""
    return int(moment // TURN_SECONDS)


def due(done: int | None, moment: float) -> range:
    """The turns after `done` up to the present one, each at most once. If none is done, only the present turn: the
    others come within half an hour."""
    now = turn_at(moment)
    if done is None or done > now:
        return range(now, now + 1)
    return range(max(done + 1, now - TURNS + 1), now + 1)


def all_turns(moment: float) -> range:
    """All turns, ending with the present one."""
    now = turn_at(moment)
    return range(now - TURNS + 1, now + 1)


def groups(turns: Iterable[int]) -> frozenset[int]:
    """The groups of connections that have these turns."""
    return frozenset(turn % TURNS for turn in turns)


def group_of(user_id: str, connection_id: str) -> int:
    """The group of a connection. All connections of a user are in one group, so that the user is read once for all."""
    return crc32((user_id or connection_id).encode()) % TURNS
