"""The rows of users."""

from pynamodb.attributes import (
    BooleanAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from ws_lambda.tables.table import Table, TableMeta


class ByEmail(GlobalSecondaryIndex["UserRow"]):  # type: ignore[no-untyped-call]
    """Finds the users of an email address, for a password reset. Users without an address are not in the index."""

    class Meta:
        index_name = "by_email"
        projection = KeysOnlyProjection()

    email_key = UnicodeAttribute(hash_key=True)
    username = UnicodeAttribute(range_key=True)


class UserRow(Table):
    """A stored user. Attributes have the names of the fields of `ws_lambda.users.models.User`."""

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
    """The email address folded by `names.fold`. It is absent if there is none, so that the index is sparse."""

    is_active = BooleanAttribute(null=True)
    is_staff = BooleanAttribute(null=True)
    is_superuser = BooleanAttribute(null=True)
    date_joined = UTCDateTimeAttribute(null=True)
    last_login = UTCDateTimeAttribute(null=True)
    group_names = UnicodeSetAttribute(null=True)
    permission_names = UnicodeSetAttribute(null=True)

    by_email = ByEmail()
