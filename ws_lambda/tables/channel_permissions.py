"""The access rules of channels."""

from typing import Final

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from ws_lambda.tables.table import Table, TableMeta

ALLOW_ALL: Final = "allow_all"
STAFF_ONLY: Final = "staff_only"
SUPERUSER_ONLY: Final = "superuser_only"
PERMISSIONS: Final = "permissions"
ACCESS_LEVELS: Final = (ALLOW_ALL, STAFF_ONLY, SUPERUSER_ONLY, PERMISSIONS)


class PermissionRow(Table):
    """The access level of one channel, or of every channel that begins with a prefix."""

    class Meta(metaclass=TableMeta):
        name = "channel_permissions"

    channel_name = UnicodeAttribute(hash_key=True)
    """A channel's name, or a prefix ending in `*`."""

    access = UnicodeAttribute()
    """One of ACCESS_LEVELS. Any other value refuses everybody."""

    rules: ListAttribute[list[str]] = ListAttribute(default=list)
    """For `permissions`: lists of permission names. A user needs all permissions of at least one list."""

    description = UnicodeAttribute(default="")
