"""A WebSocket connection, and what it can do."""

from typing import Any, ClassVar

from django.core.exceptions import MultipleObjectsReturned

from ws_lambda import channels, delivery
from ws_lambda.exceptions import PermissionRefused
from ws_lambda.models import gateways, joining
from ws_lambda.models.batch_closing import close_gone
from ws_lambda.models.channel_permissions import may_join, refresh
from ws_lambda.models.disconnecting import close_and_disconnect
from ws_lambda.models.joining import JudgedBy
from ws_lambda.models.owners import load_user
from ws_lambda.models.queryset import BaseSessionQuerySet
from ws_lambda.models.recipients import recipient_of
from ws_lambda.tables.gateways import ApiGateway
from ws_lambda.tables.sessions import SessionRow

_UNREAD: Any = object()


class SessionQuerySet(BaseSessionQuerySet["WebSocketSession"]):
    """A selection of sessions: `WebSocketSession.objects` and what its methods return."""


class SessionManager:
    """Gives `WebSocketSession.objects`, the selection of all sessions."""

    def __get__(self, instance: "WebSocketSession | None", owner: "type[WebSocketSession]") -> SessionQuerySet:
        return SessionQuerySet(owner)


class WebSocketSession(SessionRow):
    """One WebSocket connection, kept for SESSION_RETENTION_SECONDS after it has closed."""

    MultipleObjectsReturned: ClassVar = MultipleObjectsReturned
    objects = SessionManager()
    """The selection of all sessions."""

    _user: Any = _UNREAD

    @property
    def user(self) -> Any:
        """The owner, read on first use; None for anonymous, gone or deactivated.

        Whoever has just read the user sets it, to spare the session another read. What is set is not stored.
        """
        if self._user is _UNREAD:
            self._user = load_user(self.user_id or "", self.auth_backend or "")
        return self._user

    @user.setter
    def user(self, user: Any) -> None:
        self._user = user

    @property
    def api_gateway(self) -> ApiGateway | None:
        """The record of the gateway that the connection came by; None where that is not registered."""
        return gateways.find(self.api_id)

    @property
    def recipient(self) -> delivery.Recipient:
        """How the delivery room addresses this connection."""
        return recipient_of(self)

    def send_message(self, data: Any) -> delivery.DeliveryReport:
        """Sends to this connection (unicast).

        A connection that turns out to be gone is closed, and the report says so.

        Raises:
            ValueError: the session has no endpoint, or the message is over 131,072 bytes.
            NotOpenYet: from inside the connection's own `connect`.
        """
        return delivery.send(delivery.Listed([self.recipient]), data, on_gone=close_gone)

    def disconnect(self) -> delivery.DeliveryReport:
        """Closes the session, then its socket (`DELETE @connections`).

        One that is not open yet is closed by the schedule if it opens; from inside its own `connect`, the connect is
        refused.
        """
        return close_and_disconnect([self.recipient])

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
        self._check_channel(channel_name, check)
        joining.enter(self, channel_name, _judge(check))

    def leave(self, channel_name: str) -> None:
        """Leaves a channel; one that the connection is not in is no error."""
        joining.leave(self, channel_name)

    def change_channel(self, channel_name: str, *, check: bool = True) -> None:
        """Leaves `channel_name`'s predecessor, the first channel, and enters the new one in its place.

        When this returns the old membership is gone. Raises what `join` does.
        """
        self._check_channel(channel_name, check)
        joining.change(self, channel_name, _judge(check))

    def _check_channel(self, channel_name: str, check: bool) -> None:
        """Refuses a channel that is none, or that the stored permissions close to the session's user."""
        channels.check_name(channel_name)
        if check:
            joining.check_bound(self, channel_name)
            refresh()
            if not may_join(self.user, channel_name):
                raise PermissionRefused()


def _judge(check: bool) -> JudgedBy:
    """Who says whether the user may stay in a channel that was entered with or without a check."""
    return JudgedBy.STORED if check else JudgedBy.NOBODY
