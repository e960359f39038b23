"""Putting a connection out when the login or the user behind it ends, or has lost a right.

Where Django sends a signal it happens at once (`signals`, `rights`); what sends none (a password changed by a script, a
user deactivated in another system) is found here, when the connection next speaks, every REVALIDATE_USER_SECONDS, and
by the schedule in half an hour (`judging`).
"""

import logging
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from ws_lambda import delivery, telemetry
from ws_lambda.conf import conf
from ws_lambda.exceptions import InvalidConnectionId, PermissionRefused
from ws_lambda.gatekeeping.decisions import Decision, ReviewingView, decide, remove_from_channels
from ws_lambda.gatekeeping.logins import goes_on
from ws_lambda.models.channel_permissions import note_change
from ws_lambda.models.disconnecting import close_and_disconnect
from ws_lambda.models.login_marks import record_ended_login
from ws_lambda.models.owners import owner_still_valid
from ws_lambda.models.session import WebSocketSession
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.rate_limits import PermissionsChanged
from ws_lambda.tables.sessions import is_listed_open
from ws_lambda.tables.shared_connection import condition_failed
from ws_lambda.tables.table import batch_read
from ws_lambda.tables.tokens import EndedLogin

LOGIN_SECONDS = 1800
"""How often a connection's login is looked for in the session engine, in seconds. The schedule looks as often."""

RETRY_SECONDS = 5
"""After how many seconds a message tries again to judge a connection, where that has failed."""

_log = logging.getLogger("ws_lambda")


def lazy_user(session: WebSocketSession) -> Any:
    """The session's user, or an AnonymousUser; read when a handler first touches it."""
    return SimpleLazyObject(lambda: session.user or AnonymousUser())


def revalidate(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> None:
    """Reads the user again, once in REVALIDATE_USER_SECONDS of a connection that speaks, and judges it anew.

    Args:
        request: the message's; its `user` is the session's, which is read here.

    Raises:
        InvalidConnectionId: the user is gone, deactivated, logged out or has a new password. The socket is closed.
        PermissionRefused: the user may no longer use the view, or be in any of the channels. The socket is closed.
    """
    if not session.user_id or not _is_to_be_judged(session):
        return
    try:
        complete = _revalidate(session, view, request)
    except (InvalidConnectionId, PermissionRefused):
        raise
    except Exception:  # whatever a project keeps its users in
        _try_again_soon(session)
        raise
    if not complete:
        _try_again_soon(session)
    elif session.judge_again_at:
        _mark(session, WebSocketSession.judge_again_at.remove())


def _revalidate(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> bool:
    """Judges the connection; whether login and view could both be asked. Raises what `revalidate` does."""
    user = owner_still_valid(session.user_id or "", session.auth_backend or "", session.auth_hash or "")
    session.user = user
    marks = batch_read(
        [
            (PermissionsChanged, PermissionsChanged.KEY),
            (EndedLogin, {"token_hash": EndedLogin.key(session.login_id or "")}),
        ]
    )
    goes_on = user is not None and EndedLogin not in marks and _login_goes_on(session)
    if goes_on is False:
        session.disconnect()
        raise InvalidConnectionId()
    note_change(marks.get(PermissionsChanged))
    found = _decision(session, view, request)
    if found and (not found.may_stay or not remove_from_channels(session, found.lost)):
        session.disconnect()
        raise PermissionRefused()
    return goes_on is not None and found is not None


def _is_to_be_judged(session: WebSocketSession) -> bool:
    return (
        _is_due(session, conf.REVALIDATE_USER_SECONDS)
        or _is_due(session, LOGIN_SECONDS)
        or (session.judge_again_at is not None and session.last_seen_at >= session.judge_again_at)
    )


def _is_due(session: WebSocketSession, seconds: int) -> bool:
    """Whether this message is the first one of a new interval since the connect. Nothing needs to be stored."""
    interval = seconds * 1000
    if interval <= 0:
        return True
    began = milliseconds(session.connected_at)
    before = milliseconds(session.previous_seen_at or session.connected_at)
    return (milliseconds(session.last_seen_at) - began) // interval > (before - began) // interval


def _login_goes_on(session: WebSocketSession) -> bool | None:
    """Whether the login is in its session engine, asked once in LOGIN_SECONDS of a connection that speaks; None where
    that failed."""
    if not _is_due(session, LOGIN_SECONDS) and session.judge_again_at is None:
        return True
    try:
        return goes_on(session) is not False
    except Exception:  # whatever a session engine raises
        _leave_unjudged("The session engine failed", session)
        return None


def _decision(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> Decision | None:
    if session.connect_path is None:  # opened before connections were judged again
        return Decision()
    try:
        return decide(session, view, request)
    except Exception:  # whatever a project's view raises
        _leave_unjudged(f"Judging a connection of {type(view).__name__} failed", session)
        return None


def _leave_unjudged(why: str, session: WebSocketSession) -> None:
    telemetry.count("Unchecked")
    _log.exception("%s, so connection %s stays as it is", why, session.connection_id)


def _try_again_soon(session: WebSocketSession) -> None:
    """Has a message judge the connection again soon: the interval that has just begun counts as begun."""
    again_at = session.last_seen_at + timedelta(seconds=RETRY_SECONDS)
    try:
        _mark(session, WebSocketSession.judge_again_at.set(again_at))
    except Exception:  # what has failed before is worth more than this
        _log.exception("Connection %s is judged again only in the next interval", session.connection_id)


def _mark(session: WebSocketSession, action: Action) -> None:
    generation = WebSocketSession.connected_at == session.connected_at
    try:
        WebSocketSession(session.connection_id).update([action], condition=generation)
    except UpdateError as failed:
        if not condition_failed(failed):
            raise


def close_login(login_id: str) -> None:
    """Ends a Django login for WebSockets: its unused tokens are worthless, its connections are closed.

    A connection that cannot be closed now is left to its next message and to the schedule. A logout that failed for a
    socket would leave the login in the session engine.
    """
    record_ended_login(login_id)
    try:
        close_and_disconnect(
            delivery.Recipient(row.connection_id, row.endpoint_url, milliseconds(row.connected_at))
            for row in WebSocketSession.by_login.query(login_id)
            if is_listed_open(row)
        )
    except Exception:  # whatever DynamoDB or API Gateway raise
        _log.exception("The connections of a login that has ended could not all be closed")
