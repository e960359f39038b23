"""The connections."""

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
"""Partitions of the index of open connections: 500 connects/s, the account's quota, are half of what one takes."""

CLOSING = "closing"
"""The partition with connections that we closed and whose sockets may still open, or did not close when told to."""

MAX_DURATION = timedelta(hours=2)
"""How long API Gateway keeps a connection at most.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

LOGIN_ATTRIBUTE = "session_key_hash"
"""What the login's id is called in DynamoDB: the key of an index cannot be renamed in a table that is there."""

_PROJECTED = ["endpoint_url", "api_id", "user_id", "channel_name", "live_shard"]


class LiveIndex(GlobalSecondaryIndex["SessionRow"]):  # type: ignore[no-untyped-call]
    """Open connections, by age. A closed one loses its place here; for a while it may have one in `CLOSING` instead."""

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
    """The WebSocket API, API Gateway's own id."""

    endpoint_url = UnicodeAttribute(default="")
    """Where `@connections` of this connection is served."""

    channel_name = UnicodeAttribute(default="")
    """The first channel joined, or ""."""

    channels = UnicodeSetAttribute(null=True)
    """Every channel that the connection is in; None while it is in none."""

    user_id = UnicodeAttribute(null=True)
    """The owner's primary key as a string; None for anonymous."""

    auth_backend = UnicodeAttribute(null=True)
    auth_hash = UnicodeAttribute(null=True)
    login_id = UnicodeAttribute(null=True, attr_name=LOGIN_ATTRIBUTE)
    """The Django login that opened the connection; None for anonymous. It stays when the session key changes."""

    login_proof = UnicodeAttribute(null=True)
    """Finds the login's Django session again, for this project's SECRET_KEY only; None where nothing can be found."""

    connect_path = UnicodeAttribute(null=True)
    """The URL path of the `$connect`, by which the schedule finds the view."""

    unjudged_channels = UnicodeSetAttribute(null=True)
    """Those of `channels` that were entered by `join(check=False)`: no rule is asked whether the user may stay."""

    joined_channels = UnicodeSetAttribute(null=True)
    """Those of `channels` that were entered by `join`: the stored permissions alone say whether the user may stay."""

    bound_channel = UnicodeAttribute(null=True)
    """The only channel that the client may be let into, where its token was minted for one."""

    connected = BooleanAttribute(default=True)
    request_count = NumberAttribute(default=0)
    """Messages received."""

    message_windows: MapAttribute[str, int] = MapAttribute(default=dict)  # type: ignore[no-untyped-call]
    """Minute → messages received in it, for the limit; only recent minutes are kept."""

    connected_at = MillisecondsAttribute()
    last_seen_at = MillisecondsAttribute()
    """When the last message (at first: the connect) came in."""

    previous_seen_at = MillisecondsAttribute(null=True)
    """When the message before that one came in."""

    judge_again_at = MillisecondsAttribute(null=True)
    """From when on a message is to judge the connection again, because that has failed; None while it has not."""

    disconnected_at = MillisecondsAttribute(null=True)
    source_ip = UnicodeAttribute(default="")
    user_agent = UnicodeAttribute(default="")
    live_shard = UnicodeAttribute(null=True)
    """One of LIVE_SHARDS while connected; CLOSING while the socket of a closed session is still to be closed."""

    expires_at = TTLAttribute()


def live_shard(connection_id: str) -> str:
    """Which partition of the index of open connections a connection is in."""
    return LIVE_SHARDS[zlib.crc32(connection_id.encode()) % len(LIVE_SHARDS)]


def is_listed_open(row: SessionRow) -> bool:
    """Whether a row, full or of an index, is of an open connection: `connected` is in no index."""
    return row.live_shard in LIVE_SHARDS


def channels_of(session: SessionRow) -> Iterable[str]:
    """The channels of a session that may be in none."""
    return session.channels or ()
