"""Closing a connection when its login has ended, its user is gone, or its user has lost a permission.

If Django sends a signal, it happens at once (`signals`, `permission_changes`). Changes without a signal, such as a
password changed by a script, are found here at the connection's next message, once in REVALIDATE_USER_SECONDS, and by
the schedule within half an hour (`batch_revalidation`).
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
"""How often a connection's login is looked up in the session engine, in seconds. The schedule does it as often."""

RETRY_SECONDS = 5
"""Seconds after which a message revalidates a connection again, if that has failed."""

_log = logging.getLogger("ws_lambda")


def lazy_user(session: WebSocketSession) -> Any:
    """The session's user, or an AnonymousUser. The user is read when a handler first uses it."""
    return SimpleLazyObject(lambda: session.user or AnonymousUser())


def revalidate(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> None:
    """Revalidates a connection at a message, once in REVALIDATE_USER_SECONDS: reads its user and applies its rules.

    Args:
        request: the message's request. Its `user` is the session's.

    Raises:
        InvalidConnectionId: the user is gone, deactivated, logged out or has a new password. The socket is closed.
        PermissionRefused: the user may no longer use the view, or be in any of the channels. The socket is closed.
    """
    if not session.user_id or not _is_revalidation_due(session):
        return
    try:
        complete = _revalidate(session, view, request)
    except (InvalidConnectionId, PermissionRefused):
        raise
    except Exception:  # whatever the users' database raises
        _try_again_soon(session)
        raise
    if not complete:
        _try_again_soon(session)
    elif session.judge_again_at:
        _mark(session, WebSocketSession.judge_again_at.remove())


def _revalidate(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> bool:
    """Revalidates the connection; see `revalidate`. Returns whether login and view could both be checked."""
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


def _is_revalidation_due(session: WebSocketSession) -> bool:
    return (
        _is_due(session, conf.REVALIDATE_USER_SECONDS)
        or _is_due(session, LOGIN_SECONDS)
        or (session.judge_again_at is not None and session.last_seen_at >= session.judge_again_at)
    )


def _is_due(session: WebSocketSession, seconds: int) -> bool:
    """Whether this message is the first of a new interval. Intervals count from the connect, so nothing is stored."""
    interval = seconds * 1000
    if interval <= 0:
        return True
    began = milliseconds(session.connected_at)
    before = milliseconds(session.previous_seen_at or session.connected_at)
    return (milliseconds(session.last_seen_at) - began) // interval > (before - began) // interval


def _login_goes_on(session: WebSocketSession) -> bool | None:
    """Whether the login is in its session engine, looked up once in LOGIN_SECONDS; None if that failed."""
    if not _is_due(session, LOGIN_SECONDS) and session.judge_again_at is None:
        return True
    try:
        return goes_on(session) is not False
    except Exception:  # whatever a session engine raises
        _leave_unchecked("The session engine failed", session)
        return None


def _decision(session: WebSocketSession, view: ReviewingView, request: HttpRequest) -> Decision | None:
    if session.connect_path is None:  # opened by a version that did not store the path
        return Decision()
    try:
        return decide(session, view, request)
    except Exception:  # whatever a project's view raises
        _leave_unchecked(f"Revalidating a connection of {type(view).__name__} failed", session)
        return None


def _leave_unchecked(why: str, session: WebSocketSession) -> None:
    telemetry.count("Unchecked")
    _log.exception("%s, so connection %s stays open", why, session.connection_id)


def _try_again_soon(session: WebSocketSession) -> None:
    """Has a message soon revalidate the connection again, before the next interval."""
    again_at = session.last_seen_at + timedelta(seconds=RETRY_SECONDS)
    try:
        _mark(session, WebSocketSession.judge_again_at.set(again_at))
    except Exception:  # the first error is more important
        _log.exception("Connection %s is revalidated only in the next interval", session.connection_id)


def _mark(session: WebSocketSession, action: Action) -> None:
    generation = WebSocketSession.connected_at == session.connected_at
    try:
        WebSocketSession(session.connection_id).update([action], condition=generation)
    except UpdateError as failed:
        if not condition_failed(failed):
            raise


def close_login(login_id: str) -> None:
    """Ends a Django login for WebSockets: makes its unused tokens invalid and closes its connections.

    A connection that cannot be closed now is closed at its next message or by the schedule. No error is raised, because
    it would stop the logout and leave the login in the session engine.
    """
    record_ended_login(login_id)
    try:
        close_and_disconnect(
            delivery.Recipient(row.connection_id, row.endpoint_url, milliseconds(row.connected_at))
            for row in WebSocketSession.by_login.query(login_id)
            if is_listed_open(row)
        )
    except Exception:  # whatever DynamoDB or API Gateway raise
        _log.exception("Not all connections of a login that has ended could be closed")
