"""Counters for one minute, and other short-lived rows. The TTL deletes all of them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute, UnicodeSetAttribute

from ws_lambda import clock
from ws_lambda.tables.table import Table, TableMeta

ONLY = "-"
"""The sort key where a scope has only one row."""


def current_window() -> str:
    """The present minute, such as `2026-11-22T22:17`."""
    return clock.utcnow().strftime("%Y-%m-%dT%H:%M")


class RateLimit(Table):
    """How often something happened in one minute. Windows are fixed: further attempts do not extend them."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    scope = UnicodeAttribute(hash_key=True)
    """What is counted and for whom: `refused#203.0.113.9`, `connect#7`, `token#7`."""

    window = UnicodeAttribute(range_key=True)
    hits = NumberAttribute(attr_name="count", default=0)
    """Called `count` in DynamoDB, which is the name of a PynamoDB method."""

    expires_at = TTLAttribute()

    @classmethod
    def of(cls, scope: str) -> "RateLimit":
        """The counter of a scope for the current minute; not read, not stored."""
        return cls(scope, current_window(), expires_at=cls.expiry())

    @staticmethod
    def expiry() -> datetime:
        """When a counter of now may be deleted. It has no use once its minute is over."""
        return clock.utcnow() + timedelta(minutes=5)


class PermissionsChanged(Table):
    """The mark of the last change of any permission, which every connect and every join reads.

    It tells a process that its copy of the permissions is outdated. Without it that process could admit somebody who
    has just been evicted. A connect reads this table anyway.
    """

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    SCOPE: ClassVar[str] = "permissions#"
    """No counter has this scope."""

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
    """For how long after the last connect or disconnect. No connection lives longer than `sessions.MAX_DURATION`."""

    scope = UnicodeAttribute(hash_key=True)
    """`open#<user id>`."""

    window = UnicodeAttribute(range_key=True)
    """Always `-`."""

    connection_ids = UnicodeSetAttribute(null=True)
    expires_at = TTLAttribute()

    @classmethod
    def of(cls, user_id: str) -> "OpenConnections":
        """The row of a user; not read, not stored."""
        return cls(f"open#{user_id}", ONLY, expires_at=clock.utcnow() + cls.KEPT)


class Cursor(Table):
    """How far a run of housekeeping has come."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    KEPT: ClassVar = timedelta(days=1)
    """After that, a run begins from the start."""

    scope = UnicodeAttribute(hash_key=True)
    """`cursor#<name>`."""

    window = UnicodeAttribute(range_key=True)
    position = UnicodeAttribute(default="{}")
    """JSON."""

    expires_at = TTLAttribute()

    @classmethod
    def of(cls, name: str) -> "Cursor":
        """The row of that name; not read, not stored."""
        return cls(f"cursor#{name}", ONLY, expires_at=clock.utcnow() + cls.KEPT)


class UnfinishedWork(Table):
    """A task on many connections that the schedule has to finish, and how far it has come."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    SCOPE: ClassVar[str] = "unfinished"
    KEPT: ClassVar = timedelta(days=1)
    """As long as `Cursor.KEPT`."""

    scope = UnicodeAttribute(hash_key=True)
    """Always `unfinished`."""

    window = UnicodeAttribute(range_key=True)
    """The kind of the task, a space, and its subject: `evict team-*`."""

    mark = UnicodeAttribute()
    """A random value that changes when the same task begins again."""

    position = UnicodeAttribute(default="{}")
    """JSON."""

    expires_at = TTLAttribute()

    @classmethod
    def of(cls, kind: str, about: str, place: Mapping[str, Any], mark: str) -> "UnfinishedWork":
        """The row of a task; not stored."""
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
        """Where the task was interrupted; empty if it has not begun."""
        found = json.loads(self.position)
        return found if isinstance(found, dict) else {}
