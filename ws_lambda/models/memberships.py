"""Who is in which channel. The table is the roster that a broadcast reads."""

from pynamodb.attributes import TTLAttribute, UnicodeAttribute

from ws_lambda.models.attributes import MillisecondsAttribute
from ws_lambda.models.base import Table, TableMeta


class ChannelMembership(Table):
    """One connection in one channel. It exists only while the connection is open."""

    class Meta(metaclass=TableMeta):
        name = "memberships"

    channel = UnicodeAttribute(hash_key=True)
    """The channel's name, or `name#shard` where CHANNEL_SHARDS spreads it."""

    connection_id = UnicodeAttribute(range_key=True)
    endpoint_url = UnicodeAttribute()
    api_id = UnicodeAttribute()
    user_id = UnicodeAttribute(null=True)
    connected_at = MillisecondsAttribute()
    """Tells this connection from an earlier one of the same id: a 410 removes only the one it was about."""

    joined_at = MillisecondsAttribute()
    expires_at = TTLAttribute()
