"""Atomic counters, one for each scope and minute."""

from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda import clock
from ws_lambda.models.base import Table, TableMeta
from ws_lambda.models.counting import count


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


def _expiry() -> datetime:
    """A counter is of no use once its minute is over; the TTL deletes it some time after."""
    return clock.utcnow() + timedelta(minutes=5)
