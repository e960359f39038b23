"""The record of a WebSocket connection."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import MultipleObjectsReturned
from django.utils.functional import cached_property
from pynamodb.attributes import (
    BooleanAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from ws_lambda import delivery
from ws_lambda.models import gateways
from ws_lambda.models.attributes import MillisecondsAttribute, milliseconds
from ws_lambda.models.base import Table, TableMeta
from ws_lambda.models.gateways import ApiGateway
from ws_lambda.models.owners import load_user

if TYPE_CHECKING:
    from ws_lambda.models.queryset import SessionQuerySet

LIVE_SHARDS = delivery.roster.LIVE_SHARDS
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


class LiveIndex(GlobalSecondaryIndex["WebSocketSession"]):  # type: ignore[no-untyped-call]
    """Open connections, by age. A closed one loses its place here; for a while it may have one in `CLOSING` instead."""

    class Meta:
        index_name = "live"
        projection = IncludeProjection([name for name in _PROJECTED if name != "live_shard"])

    live_shard = UnicodeAttribute(hash_key=True)
    connected_at = MillisecondsAttribute(range_key=True)


class UserIndex(GlobalSecondaryIndex["WebSocketSession"]):  # type: ignore[no-untyped-call]
    """A user's connections, by age."""

    class Meta:
        index_name = "by_user"
        projection = IncludeProjection([name for name in _PROJECTED if name != "user_id"])

    user_id = UnicodeAttribute(hash_key=True)
    connected_at = MillisecondsAttribute(range_key=True)


class LoginIndex(GlobalSecondaryIndex["WebSocketSession"]):  # type: ignore[no-untyped-call]
    """The connections of one Django login."""

    class Meta:
        index_name = "by_login"
        projection = IncludeProjection([*_PROJECTED, "connected_at"])

    login_id = UnicodeAttribute(hash_key=True, attr_name=LOGIN_ATTRIBUTE)


class WebSocketSession(Table):
    """One WebSocket connection, kept for SESSION_RETENTION_SECONDS after it has closed."""

    class Meta(metaclass=TableMeta):
        name = "sessions"

    MultipleObjectsReturned: ClassVar = MultipleObjectsReturned
    objects: ClassVar["SessionQuerySet"]
    """The selection of all sessions; set in `queryset`, which imports this module."""

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

    @cached_property
    def user(self) -> Any:
        """The owner, read on first use; None for anonymous, gone or deactivated."""
        return load_user(self.user_id or "", self.auth_backend or "")

    @property
    def api_gateway(self) -> ApiGateway | None:
        """The record of the gateway that the connection came by; None where that is not registered."""
        return gateways.find(self.api_id)

    @property
    def recipient(self) -> delivery.Recipient:
        """How the delivery room addresses this connection."""
        return delivery.Recipient(self.connection_id, self.endpoint_url, milliseconds(self.connected_at))

    def send_message(self, data: Any) -> delivery.DeliveryReport:
        """Sends to this connection (unicast).

        A connection that turns out to be gone is closed, and the report says so.

        Raises:
            ValueError: the session has no endpoint, or the message is over 131,072 bytes.
            NotOpenYet: from inside the connection's own `connect`.
        """
        from ws_lambda.models.closing import close_gone

        return delivery.send(delivery.Listed([self.recipient]), data, on_gone=close_gone)

    def disconnect(self) -> delivery.DeliveryReport:
        """Closes the session, then its socket (`DELETE @connections`).

        One that is not open yet is closed by the schedule if it opens; from inside its own `connect`, the connect is
        refused.
        """
        from ws_lambda.models.closing import close_and_drop

        return close_and_drop([self.recipient])

    def join(self, channel_name: str, *, check: bool = True) -> None:
        """Enters one more channel.

        Args:
            check: whether the channel's permission is asked for the session's user.

        Raises:
            InvalidChannel: it is no channel name.
            PermissionRefused: the user may not be in it, or the connection's token was minted for another.
            TooManyChannels: the connection is in CHANNELS_PER_CONNECTION already, whoever asks.
            InvalidConnectionId: the connection has closed.
        """
        from ws_lambda.models.joining import enter

        enter(self, channel_name, check=check)

    def leave(self, channel_name: str) -> None:
        """Leaves a channel; one that the connection is not in is no error."""
        from ws_lambda.models.joining import leave

        leave(self, channel_name)

    def change_channel(self, channel_name: str, *, check: bool = True) -> None:
        """Leaves `channel_name`'s predecessor, the first channel, and enters the new one in its place.

        When this returns the old membership is gone. Raises what `join` does.
        """
        from ws_lambda.models.joining import change

        change(self, channel_name, check=check)


def is_listed_open(row: WebSocketSession) -> bool:
    """Whether a row, full or of an index, is of an open connection: `connected` is in no index."""
    return row.live_shard in LIVE_SHARDS


def channels_of(session: WebSocketSession) -> Iterable[str]:
    """The channels of a session that may be in none."""
    return session.channels or ()
