"""Who may be in which channel."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from pynamodb.attributes import ListAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda import channels, clock, process_state
from ws_lambda.conf import conf
from ws_lambda.models.base import Table, TableMeta
from ws_lambda.process_state import Occasion

ALLOW_ALL: Final = "allow_all"
STAFF_ONLY: Final = "staff_only"
SUPERUSER_ONLY: Final = "superuser_only"
PERMISSIONS: Final = "permissions"
ACCESS_LEVELS: Final = (ALLOW_ALL, STAFF_ONLY, SUPERUSER_ONLY, PERMISSIONS)
_CHANGED: Final = "permissions#"
"""No counter is named so."""


class PermissionsChanged(Table):
    """The mark of the last change of any permission. Whoever opens a connection or joins a channel reads it.

    So a process with an older copy lets nobody back in whom a change has just put out. It lives in the table of
    counters, which a connect reads anyway.
    """

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    scope = UnicodeAttribute(hash_key=True)
    window = UnicodeAttribute(range_key=True)
    mark = UnicodeAttribute()
    expires_at = TTLAttribute()

    KEY: ClassVar[Mapping[str, str]] = {"scope": _CHANGED, "window": "-"}

    @classmethod
    def record(cls) -> None:
        """Notes that something has changed just now. When the mark expires, every copy has long been renewed."""
        kept = clock.utcnow() + timedelta(seconds=conf.PERMISSION_CACHE_SECONDS, days=1)
        cls(_CHANGED, "-", mark=secrets.token_hex(8), expires_at=kept).save()


class ChannelPermission(Table):
    """The access level of one channel, or of every channel that begins with a prefix.

    An exact name beats a prefix, a longer prefix beats a shorter one. The table is meant for tens or hundreds of
    rows, since each process keeps a copy: where every tenant has its own rules, write `can_join_channel`.
    """

    class Meta(metaclass=TableMeta):
        name = "channel_permissions"

    channel_name = UnicodeAttribute(hash_key=True)
    """A channel's name, or a prefix ending in `*`."""

    access = UnicodeAttribute()
    """One of ACCESS_LEVELS; any other value refuses everybody."""

    rules: ListAttribute[list[str]] = ListAttribute(default=list)
    """For `permissions`: lists of permission names. All of one list are needed (AND); any list will do (OR)."""

    description = UnicodeAttribute(default="")

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Stores the row, and marks the change for every process."""
        saved = super().save(*args, **kwargs)
        PermissionsChanged.record()
        return saved

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Removes the row, and marks the change for every process."""
        deleted = super().delete(*args, **kwargs)
        PermissionsChanged.record()
        return deleted

    def admits(self, user: Any) -> bool:
        """Whether a user may be in the channel. Anonymous is None or Django's AnonymousUser."""
        if self.access == ALLOW_ALL:
            return True
        if user is None or not user.is_authenticated or not user.is_active:
            return False
        match self.access:
            case "staff_only":
                return bool(user.is_staff or user.is_superuser)
            case "superuser_only":
                return bool(user.is_superuser)
            case "permissions":
                rules = [list(rule) for rule in self.rules or () if rule]
                return bool(user.is_superuser or any(user.has_perms(rule) for rule in rules))
        return False


class _Cache:
    """A process's copy of the table, at most PERMISSION_CACHE_SECONDS old."""

    def __init__(self) -> None:
        self._lock = process_state.Lock()
        self._key: tuple[str, float] = ("", 0.0)
        self._rows: dict[str, ChannelPermission] = {}
        self._mark = ""

    def rows(self) -> dict[str, ChannelPermission]:
        """All rows by name. An error of the read is the caller's: nobody joins on a guess."""
        with self._lock:
            table, read_at = self._key
            age = clock.now() - read_at
            if table != ChannelPermission.Meta.table_name or not 0 <= age < conf.PERMISSION_CACHE_SECONDS:
                self._rows = {row.channel_name: row for row in ChannelPermission.scan(consistent_read=True)}
                self._key = (ChannelPermission.Meta.table_name, clock.now())
            return self._rows

    def note(self, changed: PermissionsChanged | None) -> None:
        """Gives up a copy that was read before the mark was made."""
        mark = changed.mark if changed is not None else ""
        with self._lock:
            if mark != self._mark:
                self._key, self._mark = ("", 0.0), mark

    def forget(self) -> None:
        """Reads the table again at the next question."""
        with self._lock:
            self._key = ("", 0.0)


_cache = _Cache()
forget_cache = _cache.forget
note_change = _cache.note
process_state.register(forget_cache, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def refresh() -> None:
    """Reads the mark, and the table again if it tells of a change: one request before somebody joins a channel."""
    try:
        note_change(PermissionsChanged.get(_CHANGED, "-", consistent_read=True))
    except PermissionsChanged.DoesNotExist:
        note_change(None)


def permission_for(channel_name: str) -> ChannelPermission | None:
    """The row that speaks for a channel, if any does."""
    rows = _cache.rows()
    pattern = channels.best_match(rows, channel_name)
    return None if pattern is None else rows[pattern]


def may_join(user: Any, channel_name: str) -> bool:
    """Whether a user may be in a channel, by its row or else by UNLISTED_CHANNELS."""
    permission = permission_for(channel_name)
    if permission is not None:
        return permission.admits(user)
    if conf.UNLISTED_CHANNELS == "anyone":
        return True
    known = user is not None and user.is_authenticated and user.is_active
    return conf.UNLISTED_CHANNELS == "authenticated" and known
