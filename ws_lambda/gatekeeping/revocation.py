"""Putting connections out when the login or the user behind them ends.

Where Django sends a signal the socket closes at once; what sends none (a password changed by a script, a user
deactivated in another system) is found when the connection next speaks, every REVALIDATE_USER_SECONDS, and of one
that does not speak by the schedule (`housekeeping`).
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import connections, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal
from django.http import HttpRequest

from ws_lambda import delivery, telemetry
from ws_lambda.conf import conf
from ws_lambda.exceptions import InvalidConnectionId, PermissionRefused
from ws_lambda.gatekeeping.judging import judge
from ws_lambda.gatekeeping.logins import begin_login, goes_on, known_login, login_behind
from ws_lambda.gatekeeping.verdicts import Judge, Verdict, set_user, take_away, verdict
from ws_lambda.models.attributes import milliseconds
from ws_lambda.models.base import batch_read
from ws_lambda.models.channel_permissions import PermissionsChanged, note_change
from ws_lambda.models.closing import close_and_drop
from ws_lambda.models.logins import ChangedUser, EndedLogin
from ws_lambda.models.owners import accepted_hashes, login_holds, owner_still_valid
from ws_lambda.models.sessions import WebSocketSession, is_listed_open

LOGIN_SECONDS = 1800
"""How often a connection's login is looked for in the session engine, in seconds. The schedule looks as often."""

_LOGIN_FIELDS = frozenset({"password", "is_active"})
"""User fields whose change can end a login."""

TELLING_FIELDS = _LOGIN_FIELDS | {"is_staff", "is_superuser", "group_names", "permission_names"}
"""User fields whose change can take away a right; the last two are those of `ws_lambda.users`."""

_log = logging.getLogger("ws_lambda")


def revalidate(session: WebSocketSession, view: Judge, request: HttpRequest) -> None:
    """Reads the user again, once in REVALIDATE_USER_SECONDS of a connection that speaks, and judges it anew.

    Args:
        request: the message's; its `user` is the session's, which is read here.

    Raises:
        InvalidConnectionId: the user is gone, deactivated, logged out or has a new password. The socket is closed.
        PermissionRefused: the user may no longer use the view, or be in any of the channels. The socket is closed.
    """
    if not session.user_id or not _is_due(session, conf.REVALIDATE_USER_SECONDS):
        return
    user = owner_still_valid(session.user_id, session.auth_backend or "", session.auth_hash or "")
    set_user(session, user)
    marks = batch_read(
        [
            (PermissionsChanged, PermissionsChanged.KEY),
            (EndedLogin, {"token_hash": EndedLogin.key(session.login_id or "")}),
        ]
    )
    if user is None or EndedLogin in marks or not _login_goes_on(session):
        session.disconnect()
        raise InvalidConnectionId()
    note_change(marks.get(PermissionsChanged))
    found = _verdict(session, view, request)
    if not found.may_stay or (found.lost and not take_away(session, found.lost)):
        session.disconnect()
        raise PermissionRefused()


def _is_due(session: WebSocketSession, seconds: int) -> bool:
    """Whether this message is the first one of a new interval since the connect. Nothing needs to be stored."""
    interval = seconds * 1000
    if interval <= 0:
        return True
    began = milliseconds(session.connected_at)
    before = milliseconds(session.previous_seen_at or session.connected_at)
    return (milliseconds(session.last_seen_at) - began) // interval > (before - began) // interval


<<<<<<< HEAD
def _login_goes_on(session: WebSocketSession) -> bool:
    """Whether the login is in its session engine, asked once in LOGIN_SECONDS of a connection that speaks."""
    if not _is_due(session, LOGIN_SECONDS):
        return True
    try:
        return goes_on(session)
    except Exception:  # whatever a session engine raises
        _leave_unjudged("The session engine failed", session)
        return True
=======
def close_silent(connection_ids: Iterable[str]) -> int:
    """Closes those connections that a message of theirs would end, had they sent one lately; returns how many.

    Each user is read once for all of his connections here. Whatever his auth backend raises is the caller's, and
    nobody has been closed then.
    """
    silent = [one for one in WebSocketSession.batch_get(list(connection_ids)) if one.user_id and _is_silent(one)]
    users = {owner: load_user(*owner) for owner in {_owner(one) for one in silent}}
    ended = EndedLogin.among(one.login_id for one in silent if one.login_id)
    stale = [
        one.recipient
        for one in silent
        if one.login_id in ended or not login_holds(users[_owner(one)], one.auth_hash or "")
    ]
    close_and_drop(stale)
    return len(stale)
>>>>>>> af17980 (Count as open only what the index of open connections lists as open)


def _verdict(session: WebSocketSession, view: Judge, request: HttpRequest) -> Verdict:
    if session.connect_path is None:  # opened before connections were judged again
        return Verdict()
    try:
        return verdict(session, view, request)
    except Exception:  # whatever a project's view raises
        _leave_unjudged(f"Judging a connection of {type(view).__name__} failed", session)
        return Verdict()


def _leave_unjudged(why: str, session: WebSocketSession) -> None:
    telemetry.count("Unjudged")
    _log.exception("%s, so connection %s stays as it is", why, session.connection_id)


def close_login(login_id: str) -> None:
    """Ends a Django login for WebSockets: its unused tokens are worthless, its connections are closed."""
    EndedLogin.record(login_id)
    _close(row for row in WebSocketSession.by_login.query(login_id))


<<<<<<< HEAD
def judge_user(user: Any) -> None:
    """Closes the connections of a user whose logins no longer hold, and judges the others anew."""
    ids = [row.connection_id for row in WebSocketSession.by_user.query(str(user.pk)) if is_listed_open(row)]
    found = list(WebSocketSession.batch_get(ids, consistent_read=True))
    ended = [session for session in found if not login_holds(user, session.auth_hash or "")]
    _close(ended)
    judge([session for session in found if session not in ended])
=======
def close_user(user: Any) -> None:
    """Closes the connections of a user whose logins no longer hold; those of a current login stay."""
    ids = [row.connection_id for row in WebSocketSession.by_user.query(str(user.pk)) if is_listed_open(row)]
    found = WebSocketSession.batch_get(ids, consistent_read=True)
    _close(session for session in found if not login_holds(user, session.auth_hash or ""))
>>>>>>> af17980 (Count as open only what the index of open connections lists as open)


def _close(rows: Any) -> None:
    close_and_drop(
        delivery.Recipient(row.connection_id, row.endpoint_url, milliseconds(row.connected_at))
        for row in rows
        if is_listed_open(row)
    )


def _on_login(sender: Any, request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    """Names the login, and ends the one that it has replaced in this browser: Django tells of no logout then."""
    session = getattr(request, "session", None)
    if session is None:
        return
    login_id = begin_login(session)
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not cookie or cookie == session.session_key:
        return
    try:
        replaced = login_behind(cookie)
        if replaced and replaced != login_id:
            close_login(replaced)
    except Exception:  # a login is not to fail for a socket: the schedule closes what is still open
        _log.exception("The connections of a login that was replaced could not be closed")


def _on_logout(sender: Any, request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    session = getattr(request, "session", None)
    if request is None or session is None:
        return
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    login_id = known_login(session) or (login_behind(cookie) if cookie else "")  # the session may have expired
    if login_id:
        close_login(login_id)


def _on_user_saved(
    sender: Any, instance: Any, created: bool, update_fields: Any = None, using: str | None = None, **_kwargs: Any
) -> None:
    if created:
        return
    saved = TELLING_FIELDS if update_fields is None else TELLING_FIELDS & set(update_fields)
    if saved:
        _once_committed(using, partial(_after_saving, instance, ends_logins=bool(saved & _LOGIN_FIELDS)))


def _after_saving(user: Any, *, ends_logins: bool) -> None:
    if ends_logins:
        ChangedUser.record(str(user.pk), accepted_hashes(user) if user.is_active else ())
    judge_user(user)


def _on_user_deleted(sender: Any, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
    # Django takes the primary key away once the signal has been sent.
    _once_committed(using, partial(_after_deleting, str(instance.pk)))


def _after_deleting(user_id: str) -> None:
    ChangedUser.record(user_id, ())
    WebSocketSession.objects.filter(user=user_id, connected=True).disconnect()


def _once_committed(using: str | None, act: Callable[[], Any]) -> None:
    """Acts at the end of the SQL transaction, if one is open: until then a reconnect finds the user as he was."""
    if using and connections[using].in_atomic_block:
        transaction.on_commit(act, using=using)
    else:
        act()


def connect_signals() -> None:
    """Listens to Django; called once when apps are ready."""
    for signal, receiver, sender in _listened():
        signal.connect(receiver, sender=sender, dispatch_uid=f"ws_lambda.{receiver.__name__}")


def disconnect_signals() -> None:
    """Stops listening."""
    for signal, receiver, sender in _listened():
        signal.disconnect(sender=sender, dispatch_uid=f"ws_lambda.{receiver.__name__}")


def _listened() -> list[tuple[Signal, Callable[..., None], Any]]:
    """Django names the very class that was saved: a proxy of the user model is another sender."""
    models = [model for model in apps.get_models() if issubclass(model, get_user_model())]
    return [
        (user_logged_in, _on_login, None),
        (user_logged_out, _on_logout, None),
        *((post_save, _on_user_saved, model) for model in models),
        *((post_delete, _on_user_deleted, model) for model in models),
    ]
