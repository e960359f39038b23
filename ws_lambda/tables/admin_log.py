"""What users did in the admin, for projects that have no SQL table for Django's admin log."""

import secrets
from datetime import timedelta

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from ws_lambda import clock
from ws_lambda.tables.table import Table, TableMeta

KEPT = timedelta(days=366)
"""How long an entry is kept."""


class ByActor(GlobalSecondaryIndex["AdminAction"]):  # type: ignore[no-untyped-call]
    """The actions of one user, by time."""

    class Meta:
        index_name = "by_actor"
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True)
    moment = UnicodeAttribute(range_key=True)


class AdminAction(Table):
    """One addition, change or deletion."""

    class Meta(metaclass=TableMeta):
        name = "admin_log"

    subject = UnicodeAttribute(hash_key=True)
    """`app_label.model_name#object id`."""

    moment = UnicodeAttribute(range_key=True)
    """ISO 8601 in UTC, with a random suffix, so that two actions at the same time are two entries."""

    user_id = UnicodeAttribute()
    username = UnicodeAttribute()
    object_repr = UnicodeAttribute()
    action_flag = NumberAttribute()
    """Django's: 1 addition, 2 change, 3 deletion."""

    change_message = UnicodeAttribute(default="")
    expires_at = TTLAttribute()
    by_actor = ByActor()

    @staticmethod
    def new_moment() -> str:
        """The present time, as a unique sort key."""
        return f"{clock.utcnow().isoformat(timespec='microseconds')}#{secrets.token_hex(4)}"

    @staticmethod
    def expiry() -> object:
        """When an entry that is made now expires."""
        return clock.utcnow() + KEPT
