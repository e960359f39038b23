"""A WebSocket connection and its behaviour."""

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
        """The user, read on first use; None for anonymous, gone or deactivated users.

        Code that has just read the user can set it, which saves another read. It is not stored.
        """
        if self._user is _UNREAD:
            self._user = load_user(self.user_id or "", self.auth_backend or "")
        return self._user

    @user.setter
    def user(self, user: Any) -> None:
        self._user = user

    @property
    def api_gateway(self) -> ApiGateway | None:
        """The record of the connection's gateway; None if it is not registered."""
        return gateways.find(self.api_id)

    @property
    def recipient(self) -> delivery.Recipient:
        """This connection as a recipient of messages."""
        return recipient_of(self)

    def send_message(self, data: Any) -> delivery.DeliveryReport:
        """Sends a message to this connection.

        If the connection turns out to be gone, its session is closed, and the report says so.

        Raises:
            ValueError: the session has no endpoint, or the message is over 131,072 bytes.
            NotOpenYet: from inside the connection's own `connect`.
        """
        return delivery.send(delivery.Listed([self.recipient]), data, on_gone=close_gone)

    def disconnect(self) -> delivery.DeliveryReport:
        """Closes the session, then its socket (`DELETE @connections`).

        If the socket is not open yet, the schedule closes it after it opens. From inside the connection's own
        `connect`, the connect is refused.
        """
        return close_and_disconnect([self.recipient])

    def join(self, channel_name: str, *, check: bool = True) -> None:
        """Joins another channel.

        Args:
            check: whether the stored permissions must allow it to the session's user.

        Raises:
            InvalidChannel: it is not a valid channel name.
            PermissionRefused: the user may not be in the channel, or the token was minted for another channel.
            TooManyChannels: the connection is in CHANNELS_PER_CONNECTION channels already.
            InvalidConnectionId: the connection has closed.
        """
        self._check_channel(channel_name, check)
        joining.enter(self, channel_name, _judge(check))

    def leave(self, channel_name: str) -> None:
        """Leaves a channel. It is not an error if the connection is not in it."""
        joining.leave(self, channel_name)

    def change_channel(self, channel_name: str, *, check: bool = True) -> None:
        """Leaves the first channel and joins another one in its place, in one transaction.

        Raises the same exceptions as `join`.
        """
        self._check_channel(channel_name, check)
        joining.change(self, channel_name, _judge(check))

    def _check_channel(self, channel_name: str, check: bool) -> None:
        """Refuses an invalid channel name and, with `check`, a channel that the user may not be in."""
        channels.check_name(channel_name)
        if check:
            joining.check_bound(self, channel_name)
            refresh()
            if not may_join(self.user, channel_name):
                raise PermissionRefused()


def _judge(check: bool) -> JudgedBy:
    """Who decides whether the user may stay in a channel that was joined with or without a check."""
    return JudgedBy.STORED if check else JudgedBy.NOBODY
