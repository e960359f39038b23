"""Who may be in which channel: the stored permissions, and a process's copy of them."""

import secrets
from datetime import timedelta
from typing import Any

from ws_lambda import channels, clock, process_state
from ws_lambda.conf import conf
from ws_lambda.process_state import Occasion
from ws_lambda.tables.channel_permissions import ALLOW_ALL, PermissionRow
from ws_lambda.tables.rate_limits import ONLY, PermissionsChanged


def record_change() -> None:
    """Records that a permission has changed. Every process renews its copy before the mark expires."""
    kept = clock.utcnow() + timedelta(seconds=conf.PERMISSION_CACHE_SECONDS, days=1)
    PermissionsChanged.of(secrets.token_hex(8), kept).save()


class ChannelPermission(PermissionRow):
    """The access level of one channel, or of every channel that begins with a prefix.

    An exact name takes precedence over a prefix, and a longer prefix over a shorter one. The table is meant for tens or
    hundreds of rows, because each process keeps a copy. If every tenant has rules of its own, write `can_join_channel`.
    """

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Stores the permission, and tells every process of the change."""
        saved = super().save(*args, **kwargs)
        record_change()
        return saved

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Deletes the permission, and tells every process of the change."""
        deleted = super().delete(*args, **kwargs)
        record_change()
        return deleted

    def admits(self, user: Any) -> bool:
        """Whether a user may be in the channel. None and Django's AnonymousUser are anonymous."""
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
        """All permissions by channel name. An error of reading them is raised, so that nobody joins by a guess."""
        with self._lock:
            table, read_at = self._key
            age = clock.now() - read_at
            if table != ChannelPermission.Meta.table_name or not 0 <= age < conf.PERMISSION_CACHE_SECONDS:
                self._rows = {row.channel_name: row for row in ChannelPermission.scan(consistent_read=True)}
                self._key = (ChannelPermission.Meta.table_name, clock.now())
            return self._rows

    def note(self, changed: PermissionsChanged | None) -> None:
        """Drops the copy if the mark has changed since it was read."""
        mark = changed.mark if changed is not None else ""
        with self._lock:
            if mark != self._mark:
                self._key, self._mark = ("", 0.0), mark

    def forget(self) -> None:
        """Drops the copy, so that the table is read again when it is needed."""
        with self._lock:
            self._key = ("", 0.0)


_cache = _Cache()
forget_cache = _cache.forget
note_change = _cache.note
process_state.register(forget_cache, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)


def refresh() -> None:
    """Reads the mark, and drops the copy if the mark has changed: one request before somebody joins a channel."""
    try:
        note_change(PermissionsChanged.get(PermissionsChanged.SCOPE, ONLY, consistent_read=True))
    except PermissionsChanged.DoesNotExist:
        note_change(None)


def permission_for(channel_name: str) -> ChannelPermission | None:
    """The permission that applies to a channel, if there is one."""
    rows = _cache.rows()
    pattern = channels.best_match(rows, channel_name)
    return None if pattern is None else rows[pattern]


def may_join(user: Any, channel_name: str) -> bool:
    """Whether a user may be in a channel, by its permission or else by UNLISTED_CHANNELS."""
    permission = permission_for(channel_name)
    if permission is not None:
        return permission.admits(user)
    if conf.UNLISTED_CHANNELS == "anyone":
        return True
    known = user is not None and user.is_authenticated and user.is_active
    return conf.UNLISTED_CHANNELS == "authenticated" and known
