"""Figures of the last hours for the admin's overview, at next to no cost.

A process counts in memory, and writes what it has counted at most once every FLUSH_SECONDS, with the first event
that comes after that. So an event costs no request of its own; what a process has counted since its last write is
lost with it, which makes these figures good for a chart and not for a bill. CloudWatch has the exact ones.
"""

import logging
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ws_lambda import clock, process_state
from ws_lambda.models import counting
from ws_lambda.process_state import Occasion
from ws_lambda.tables.stats import COUNTED, KEPT, SHARDS, Stats

logger = logging.getLogger("ws_lambda")

FLUSH_SECONDS = 10.0
"""How often a process writes at most."""


class _Buffer:
    """What this process has counted and not yet written."""

    def __init__(self) -> None:
        self._lock = process_state.Lock()
        self._counted: dict[str, Counter[str]] = {}
        self._since: float | None = None

    def add(self, what: str) -> None:
        now = clock.now()
        with self._lock:
            self._counted.setdefault(_minute_of(now), Counter())[what] += 1
            if self._since is None:
                self._since = now

    def take(self, *, after: float) -> dict[str, Counter[str]]:
        """What was counted, if the oldest of it is older than `after` seconds; it is the caller's then."""
        with self._lock:
            # A clock that was set back makes it due as well.
            if self._since is None or 0 <= clock.now() - self._since < after:
                return {}
            counted, self._counted, self._since = self._counted, {}, None
            return counted


_buffer = _Buffer()


def _minute_of(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M")


def count(what: str) -> None:
    """Counts one of COUNTED, and writes what has been counted if that is due."""
    if counted := _buffer.take(after=FLUSH_SECONDS):
        try:
            _write(counted)
        except (BotoCoreError, ClientError):
            # Whatever ails the table of figures, the event that happened to come by is not to suffer for it.
            logger.warning("The overview's figures of the last seconds are lost", exc_info=True)
    _buffer.add(what)


def flush() -> None:
    """Writes what has been counted, due or not."""
    _write(_buffer.take(after=0))


def forget() -> None:
    """Drops what has been counted."""
    _buffer.take(after=0)


process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def _write(counted: dict[str, Counter[str]]) -> None:
    shard = random.choice(SHARDS)  # noqa: S311 - spreads writes, guards nothing
    for minute, figures in counted.items():
        counting.count(Stats, {"shard": shard, "minute": minute}, figures, clock.utcnow() + KEPT)


def last_hour() -> list[dict[str, Any]]:
    """The figures of the last 60 minutes, oldest first, quiet minutes included: four queries."""
    now = clock.utcnow()
    minutes = [(now - timedelta(minutes=back)).strftime("%Y-%m-%dT%H:%M") for back in range(59, -1, -1)]
    rows: dict[str, dict[str, Any]] = {m: {"minute": m, **dict.fromkeys(COUNTED, 0)} for m in minutes}
    for shard in SHARDS:
        for row in Stats.query(shard, Stats.minute.between(minutes[0], minutes[-1])):
            for what in COUNTED:
                rows[row.minute][what] += int(getattr(row, what) or 0)
    return list(rows.values())
