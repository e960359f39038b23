"""Atomic counters, one for each scope and minute."""

from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda import clock, process_state
from ws_lambda.models.base import Table, TableMeta
from ws_lambda.models.counting import count
from ws_lambda.process_state import Occasion


def current_window() -> str:
    """The minute that is counted now, as `2026-11-22T22:17`."""
    return clock.utcnow().strftime("%Y-%m-%dT%H:%M")


class RateLimit(Table):
    """How often something happened in one minute. Windows are fixed: trying again does not extend one."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    scope = UnicodeAttribute(hash_key=True)
    """What is counted and for whom: `refused#203.0.113.9`, `connect#7`, `token#7`."""

    window = UnicodeAttribute(range_key=True)
    hits = NumberAttribute(attr_name="count", default=0)
    """Named so because `count` is what PynamoDB counts rows with."""

    expires_at = TTLAttribute()

    @classmethod
    def of(cls, scope: str) -> "RateLimit":
        """The counter of a scope for the current minute; not read, not stored."""
        return cls(scope, current_window(), expires_at=_expiry())

    @classmethod
    def hit(cls, scope: str) -> int:
        """Counts one and returns the new count, in one atomic update."""
        counter = count(cls, {"scope": scope, "window": current_window()}, {"count": 1}, _expiry())
        return int(counter["count"]["N"])


class Remembered:
    """Counts of the current minute that this process has seen, so that it need not ask again who is over a limit.

    At most MOST at once: what comes after is not remembered, and costs its requests until the minute is over.
    """

    MOST = 10_000

    def __init__(self) -> None:
        self._lock = process_state.Lock()
        self._window, self._hits = "", dict[str, int]()
        process_state.register(self.forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)

    def forget(self) -> None:
        """Drops what is remembered."""
        with self._lock:
            self._window, self._hits = "", {}

    def hits(self, name: str) -> int:
        """The highest count seen of a name in this minute; 0 where none was."""
        with self._lock:
            return self._hits.get(name, 0) if self._window == current_window() else 0

    def note(self, name: str, hits: int) -> None:
        """Remembers a count, unless a higher one is known."""
        with self._lock:
            if self._window != current_window():
                self._window, self._hits = current_window(), {}
            if name in self._hits or len(self._hits) < self.MOST:
                self._hits[name] = max(hits, self._hits.get(name, 0))


refused_places, refused_tokens, full_users = Remembered(), Remembered(), Remembered()
"""Addresses that were refused, hashes of tokens that a connect was refused with, users with all connections open."""


def _expiry() -> datetime:
    """A counter is of no use once its minute is over; the TTL deletes it some time after."""
    return clock.utcnow() + timedelta(minutes=5)
