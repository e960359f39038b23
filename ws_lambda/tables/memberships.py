"""The members of channels. Broadcasts read this table."""

from datetime import timedelta

from pynamodb.attributes import TTLAttribute, UnicodeAttribute

from ws_lambda import channels, clock
from ws_lambda.tables.attributes import MillisecondsAttribute
from ws_lambda.tables.sessions import MAX_DURATION, SessionRow
from ws_lambda.tables.table import Table, TableMeta


class ChannelMembership(Table):
    """One connection in one channel. The row exists only while the connection is open."""

    class Meta(metaclass=TableMeta):
        name = "memberships"

    channel = UnicodeAttribute(hash_key=True)
    """The channel's name, or `name#shard` where CHANNEL_SHARDS spreads it."""

    connection_id = UnicodeAttribute(range_key=True)
    endpoint_url = UnicodeAttribute()
    api_id = UnicodeAttribute()
    user_id = UnicodeAttribute(null=True)
    connected_at = MillisecondsAttribute()
    """Distinguishes this connection from an earlier one with the same id, so that a 410 removes only the right one."""

    joined_at = MillisecondsAttribute()
    expires_at = TTLAttribute()

    @classmethod
    def of(cls, session: SessionRow, channel_name: str) -> "ChannelMembership":
        """The row of a session in a channel that it joins now; not stored."""
        return cls(
            channels.shard_key(channel_name, session.connection_id),
            session.connection_id,
            endpoint_url=session.endpoint_url,
            api_id=session.api_id,
            user_id=session.user_id,
            connected_at=session.connected_at,
            joined_at=clock.utcnow(),
            expires_at=session.connected_at + MAX_DURATION + timedelta(hours=1),
        )

    @classmethod
    def key_of(cls, connection_id: str, channel_name: str) -> "ChannelMembership":
        """The row of a connection in a channel with only its key, for deleting it."""
        return cls(channels.shard_key(channel_name, connection_id), connection_id)
