"""Counts of the last hours for the admin's overview, at almost no cost.

A process counts in memory. It writes its counts at most once every FLUSH_SECONDS, at the first event after that. So an
event costs no request. Counts since the last write are lost when the process ends, so these numbers are approximate.
CloudWatch has the exact ones.
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
    """What this process has counted and has not written yet."""

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
        """Hands over the counts, if the oldest is older than `after` seconds; else nothing."""
        with self._lock:
            # They are due as well if the clock was set back.
            if self._since is None or 0 <= clock.now() - self._since < after:
                return {}
            counted, self._counted, self._since = self._counted, {}, None
            return counted


_buffer = _Buffer()


def _minute_of(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M")


def count(what: str) -> None:
    """Counts one of COUNTED, and writes the counts if that is due."""
    if counted := _buffer.take(after=FLUSH_SECONDS):
        try:
            _write(counted)
        except (BotoCoreError, ClientError):
            # An event must not fail because the counts cannot be written.
            logger.warning("The overview's counts of the last seconds are lost", exc_info=True)
    _buffer.add(what)


def flush() -> None:
    """Writes the counts, whether or not it is due."""
    _write(_buffer.take(after=0))


def forget() -> None:
    """Drops the counts."""
    _buffer.take(after=0)


process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def _write(counted: dict[str, Counter[str]]) -> None:
    shard = random.choice(SHARDS)  # noqa: S311 - spreads writes, guards nothing
    for minute, figures in counted.items():
        counting.count(Stats, {"shard": shard, "minute": minute}, figures, clock.utcnow() + KEPT)


def last_hour() -> list[dict[str, Any]]:
    """The counts of the last 60 minutes, oldest first, including minutes without events: four queries."""
    now = clock.utcnow()
    minutes = [(now - timedelta(minutes=back)).strftime("%Y-%m-%dT%H:%M") for back in range(59, -1, -1)]
    rows: dict[str, dict[str, Any]] = {m: {"minute": m, **dict.fromkeys(COUNTED, 0)} for m in minutes}
    for shard in SHARDS:
        for row in Stats.query(shard, Stats.minute.between(minutes[0], minutes[-1])):
            for what in COUNTED:
                rows[row.minute][what] += int(getattr(row, what) or 0)
    return list(rows.values())
