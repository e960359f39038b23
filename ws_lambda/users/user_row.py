"""The table of users."""

from pynamodb.attributes import (
    BooleanAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from ws_lambda.tables.table import Table, TableMeta


class ByEmail(GlobalSecondaryIndex["UserRow"]):  # type: ignore[no-untyped-call]
    """Finds the users of an email address, for a password reset. Users without one are not in it."""

    class Meta:
        index_name = "by_email"
        projection = KeysOnlyProjection()

    email_key = UnicodeAttribute(hash_key=True)
    username = UnicodeAttribute(range_key=True)


class UserRow(Table):
    """A user as stored. The attributes are named as the fields of `ws_lambda.users.models.User`."""

    class Meta(metaclass=TableMeta):
        name = "users"

    username = UnicodeAttribute(hash_key=True)
    """Folded by `names.fold`."""

    password = UnicodeAttribute(null=True)
    """Django's encoded hash."""

    first_name = UnicodeAttribute(null=True)
    last_name = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    """As typed."""

    email_key = UnicodeAttribute(null=True)
    """The email folded by `names.fold`; absent where there is none, which keeps the index sparse."""

    is_active = BooleanAttribute(null=True)
    is_staff = BooleanAttribute(null=True)
    is_superuser = BooleanAttribute(null=True)
    date_joined = UTCDateTimeAttribute(null=True)
    last_login = UTCDateTimeAttribute(null=True)
    group_names = UnicodeSetAttribute(null=True)
    permission_names = UnicodeSetAttribute(null=True)

    by_email = ByEmail()
