"""Whether a user may still use a connection and its channels, decided by the rules that admitted them."""

from dataclasses import dataclass
from typing import Protocol

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from ws_lambda.exceptions import InvalidChannel, InvalidConnectionId, PermissionRefused, RateLimited
from ws_lambda.models.channel_permissions import may_join
from ws_lambda.models.joining import leave
from ws_lambda.models.session import WebSocketSession
from ws_lambda.tables.sessions import channels_of


class ReviewingView(Protocol):
    """The part of a view that decides about an open connection."""

    CHECK_PERMISSIONS_ON_CONNECT: bool

    def has_required_permissions(self, request: HttpRequest) -> bool: ...
    def can_join_channel(self, request: HttpRequest, channel_name: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to a connection."""

    may_stay: bool = True
    lost: frozenset[str] = frozenset()
    """Channels that the user may no longer be in."""

    def __bool__(self) -> bool:
        """Whether anything has to be done."""
        return not self.may_stay or bool(self.lost)


DISCONNECT = Decision(may_stay=False)


def decide(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> Decision:
    """Applies the rules that admitted the connection and its channels. The request's user has just been read.

    Raises:
        whatever the view raises, except refusals.
    """
    if view.CHECK_PERMISSIONS_ON_CONNECT and not view.has_required_permissions(request):
        return DISCONNECT
    unchecked, joined = session.unjudged_channels or (), session.joined_channels or ()
    checked = [name for name in channels_of(session) if name not in unchecked]
    return Decision(
        lost=frozenset(
            name
            for name in checked
            if not (may_join(request.user, name) if name in joined else _admits(view, request, name))
        )
    )


def _admits(view: ReviewingView, request: HttpRequest, channel_name: str) -> bool:
    try:
        return bool(view.can_join_channel(request, channel_name))
    except (PermissionDenied, PermissionRefused, InvalidChannel):
        return False


def remove_from_channels(session: WebSocketSession, lost: frozenset[str]) -> bool:
    """Removes a connection from channels. Returns whether it may stay open: not if it is in no other channel."""
    try:
        leave(session, *lost)
    except InvalidConnectionId:  # it has closed in the meantime
        return True
    except RateLimited:  # it changes its channels too fast to be removed from one
        return False
    return bool(session.channels)


def owner_of(session: WebSocketSession) -> tuple[str, str]:
    """The user and the auth backend of a connection. Each pair is read once."""
    return session.user_id or "", session.auth_backend or ""
