"""May this user still be here, and in these channels? Asked of whoever let the connection in."""

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
    """What a view has to say about a connection that is open."""

    CHECK_PERMISSIONS_ON_CONNECT: bool

    def has_required_permissions(self, request: HttpRequest) -> bool: ...
    def can_join_channel(self, request: HttpRequest, channel_name: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a connection."""

    may_stay: bool = True
    lost: frozenset[str] = frozenset()
    """Channels that the user may no longer be in."""

    def __bool__(self) -> bool:
        """Whether there is anything to be done."""
        return not self.may_stay or bool(self.lost)


DISCONNECT = Decision(may_stay=False)


def decide(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> Decision:
    """Asks the rules that let the connection and its channels in. The request's user has just been read.

    Raises:
        whatever the view raises that is no refusal.
    """
    if view.CHECK_PERMISSIONS_ON_CONNECT and not view.has_required_permissions(request):
        return DISCONNECT
    unchecked, joined = session.unjudged_channels or (), session.joined_channels or ()
    judged = [name for name in channels_of(session) if name not in unchecked]
    return Decision(
        lost=frozenset(
            name
            for name in judged
            if not (may_join(request.user, name) if name in joined else _admits(view, request, name))
        )
    )


def _admits(view: ReviewingView, request: HttpRequest, channel_name: str) -> bool:
    try:
        return bool(view.can_join_channel(request, channel_name))
    except (PermissionDenied, PermissionRefused, InvalidChannel):
        return False


def remove_from_channels(session: WebSocketSession, lost: frozenset[str]) -> bool:
    """Takes a connection out of channels; whether it may stay open, as it may not where it is in no other."""
    try:
        leave(session, *lost)
    except InvalidConnectionId:  # it has closed meanwhile
        return True
    except RateLimited:  # it changes its channels faster than it can be taken out of one
        return False
    return bool(session.channels)


def owner_of(session: WebSocketSession) -> tuple[str, str]:
    """Who owns a connection, and by which auth backend: users are read once for each."""
    return session.user_id or "", session.auth_backend or ""
