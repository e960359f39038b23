"""Connections: the rows of the table `sessions`."""

import zlib
from collections.abc import Iterable
from datetime import timedelta

from pynamodb.attributes import (
    BooleanAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from ws_lambda.tables.attributes import MillisecondsAttribute
from ws_lambda.tables.table import Table, TableMeta

LIVE_SHARDS = ("0", "1", "2", "3")
"""Partitions of the index of open connections. One takes 1,000 writes/s, and the account's quota is 500 connects/s."""

CLOSING = "closing"
"""The partition of closed sessions whose sockets may still be opening, or could not be closed."""

MAX_DURATION = timedelta(hours=2)
"""How long API Gateway keeps a connection at most.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

LOGIN_ATTRIBUTE = "session_key_hash"
"""The name of `login_id` in DynamoDB. The key of an index cannot be renamed in an existing table."""

_PROJECTED = ["endpoint_url", "api_id", "user_id", "channel_name", "live_shard"]


class LiveIndex(GlobalSecondaryIndex["SessionRow"]):  # type: ignore[no-untyped-call]
    """Open connections, by age. A closed connection is removed, or stays in the partition `CLOSING` for a while."""

    class Meta:
        index_name = "live"
        projection = IncludeProjection([name for name in _PROJECTED if name != "live_shard"])

    live_shard = UnicodeAttribute(hash_key=True)
    connected_at = MillisecondsAttribute(range_key=True)


class UserIndex(GlobalSecondaryIndex["SessionRow"]):  # type: ignore[no-untyped-call]
    """A user's connections, by age."""

    class Meta:
        index_name = "by_user"
        projection = IncludeProjection([name for name in _PROJECTED if name != "user_id"])

    user_id = UnicodeAttribute(hash_key=True)
    connected_at = MillisecondsAttribute(range_key=True)


class LoginIndex(GlobalSecondaryIndex["SessionRow"]):  # type: ignore[no-untyped-call]
    """The connections of one Django login."""

    class Meta:
        index_name = "by_login"
        projection = IncludeProjection([*_PROJECTED, "connected_at"])

    login_id = UnicodeAttribute(hash_key=True, attr_name=LOGIN_ATTRIBUTE)


class SessionRow(Table):
    """One WebSocket connection, kept for SESSION_RETENTION_SECONDS after it has closed."""

    class Meta(metaclass=TableMeta):
        name = "sessions"

    live = LiveIndex()
    by_user = UserIndex()
    by_login = LoginIndex()

    connection_id = UnicodeAttribute(hash_key=True)
    api_id = UnicodeAttribute()
    """The WebSocket API's id in API Gateway."""

    endpoint_url = UnicodeAttribute(default="")
    """The URL of the API's `@connections`, with its stage."""

    channel_name = UnicodeAttribute(default="")
    """The first channel joined, or ""."""

    channels = UnicodeSetAttribute(null=True)
    """Every channel that the connection is in; None while it is in none."""

    user_id = UnicodeAttribute(null=True)
    """The owner's primary key as a string; None for anonymous."""

    auth_backend = UnicodeAttribute(null=True)
    auth_hash = UnicodeAttribute(null=True)
    login_id = UnicodeAttribute(null=True, attr_name=LOGIN_ATTRIBUTE)
    """The Django login that opened the connection; None for anonymous. It does not change with the session key."""

    login_proof = UnicodeAttribute(null=True)
    """The key of the login's Django session, encrypted with SECRET_KEY; None if the session engine stores nothing."""

    connect_path = UnicodeAttribute(null=True)
    """The URL path of the `$connect`. The schedule finds the view by it."""

    unjudged_channels = UnicodeSetAttribute(null=True)
    """Those of `channels` that were joined with `check=False`. No rule can take them away again."""

    joined_channels = UnicodeSetAttribute(null=True)
    """Those of `channels` that were joined with `join`. Only stored permissions decide whether the user may stay."""

    bound_channel = UnicodeAttribute(null=True)
    """The only channel that the client may enter, if its token was minted for one channel."""

    connected = BooleanAttribute(default=True)
    request_count = NumberAttribute(default=0)
    """Messages received."""

    message_windows: MapAttribute[str, int] = MapAttribute(default=dict)  # type: ignore[no-untyped-call]
    """Messages received in each recent minute, for the rate limit."""

    connected_at = MillisecondsAttribute()
    last_seen_at = MillisecondsAttribute()
    """The time of the last message, or of the connect before the first message."""

    previous_seen_at = MillisecondsAttribute(null=True)
    """The time of the message before the last one."""

    judge_again_at = MillisecondsAttribute(null=True)
    """From when on a message revalidates the connection again, after a revalidation that failed; None if none did."""

    disconnected_at = MillisecondsAttribute(null=True)
    source_ip = UnicodeAttribute(default="")
    user_agent = UnicodeAttribute(default="")
    live_shard = UnicodeAttribute(null=True)
    """One of LIVE_SHARDS while connected; CLOSING while the socket of a closed session must still be closed."""

    expires_at = TTLAttribute()


def live_shard(connection_id: str) -> str:
    """The partition of a connection in the index of open connections."""
    return LIVE_SHARDS[zlib.crc32(connection_id.encode()) % len(LIVE_SHARDS)]


def is_listed_open(row: SessionRow) -> bool:
    """Whether a row, full or from an index, belongs to an open connection. No index has `connected`."""
    return row.live_shard in LIVE_SHARDS


def channels_of(session: SessionRow) -> Iterable[str]:
    """The channels of a session; empty if it is in none."""
    return session.channels or ()
