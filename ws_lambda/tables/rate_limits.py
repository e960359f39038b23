"""Counters of a minute, and other short-lived rows that are kept beside them: the table forgets them by itself."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute, UnicodeSetAttribute

from ws_lambda import clock
from ws_lambda.tables.table import Table, TableMeta

ONLY = "-"
"""The sort key of rows of which a scope has one."""


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
        return cls(scope, current_window(), expires_at=cls.expiry())

    @staticmethod
    def expiry() -> datetime:
        """A counter is of no use once its minute is over; the TTL deletes it some time after."""
        return clock.utcnow() + timedelta(minutes=5)


class PermissionsChanged(Table):
    """The mark of the last change of any permission. Whoever opens a connection or joins a channel reads it.

    So a process with an older copy lets nobody back in whom a change has just put out. A connect reads this table
    anyway.
    """

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    SCOPE: ClassVar[str] = "permissions#"
    """No counter is named so."""

    KEY: ClassVar[Mapping[str, str]] = {"scope": SCOPE, "window": ONLY}

    scope = UnicodeAttribute(hash_key=True)
    window = UnicodeAttribute(range_key=True)
    mark = UnicodeAttribute()
    expires_at = TTLAttribute()

    @classmethod
    def of(cls, mark: str, expires_at: datetime) -> "PermissionsChanged":
        """The mark of a change; not stored."""
        return cls(cls.SCOPE, ONLY, mark=mark, expires_at=expires_at)


class OpenConnections(Table):
    """The open connections of one user."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    KEPT: ClassVar = timedelta(hours=3)
    """After the last connect or disconnect. No connection lives longer than `sessions.MAX_DURATION`."""

    scope = UnicodeAttribute(hash_key=True)
    """`open#7`; no counter is named so."""

    window = UnicodeAttribute(range_key=True)
    """Always `-`."""

    connection_ids = UnicodeSetAttribute(null=True)
    expires_at = TTLAttribute()

    @classmethod
    def of(cls, user_id: str) -> "OpenConnections":
        """The row of a user; not read, not stored."""
        return cls(f"open#{user_id}", ONLY, expires_at=clock.utcnow() + cls.KEPT)


class Cursor(Table):
    """A position in a long walk through the tables."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    KEPT: ClassVar = timedelta(days=1)
    """After that everything is looked at anew."""

    scope = UnicodeAttribute(hash_key=True)
    """`cursor#<name>`; no counter is named so."""

    window = UnicodeAttribute(range_key=True)
    position = UnicodeAttribute(default="{}")
    """JSON."""

    expires_at = TTLAttribute()

    @classmethod
    def of(cls, name: str) -> "Cursor":
        """The row of that name; not read, not stored."""
        return cls(f"cursor#{name}", ONLY, expires_at=clock.utcnow() + cls.KEPT)


class UnfinishedWork(Table):
    """One piece of work on many connections, and how far it has come."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    SCOPE: ClassVar[str] = "unfinished"
    KEPT: ClassVar = timedelta(days=1)
    """As for other positions of housekeeping."""

    scope = UnicodeAttribute(hash_key=True)
    """`unfinished`; no counter is named so."""

    window = UnicodeAttribute(range_key=True)
    """The kind of the work, a space, and what it is about: `evict team-*`."""

    mark = UnicodeAttribute()
    """Of this beginning: the same work may begin again."""

    position = UnicodeAttribute(default="{}")
    """JSON."""

    expires_at = TTLAttribute()

    @classmethod
    def of(cls, kind: str, about: str, place: Mapping[str, Any], mark: str) -> "UnfinishedWork":
        """The row of a piece of work; not stored."""
        expires_at = clock.utcnow() + cls.KEPT
        return cls(cls.SCOPE, f"{kind} {about}", mark=mark, position=json.dumps(place), expires_at=expires_at)

    @property
    def kind(self) -> str:
        return self.window.partition(" ")[0]

    @property
    def about(self) -> str:
        return self.window.partition(" ")[2]

    @property
    def place(self) -> Mapping[str, Any]:
        """Where it was left; empty at its beginning."""
        found = json.loads(self.position)
        return found if isinstance(found, dict) else {}
