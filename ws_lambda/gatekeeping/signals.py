"""Receivers of Django's signals about logins and users, so that their changes take effect at once."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal
from django.http import HttpRequest

from ws_lambda.gatekeeping import permission_changes
from ws_lambda.gatekeeping.logins import begin_login, follow_key, known_login, login_behind
from ws_lambda.gatekeeping.permission_changes import once_committed, revalidate_users
from ws_lambda.gatekeeping.revocation import close_login
from ws_lambda.models.login_marks import record_changed_user
from ws_lambda.models.owners import accepted_hashes
from ws_lambda.models.session import WebSocketSession
from ws_lambda.session_store import key_changed

_LOGIN_FIELDS = frozenset({"password", "is_active"})
"""User fields whose change can end a login."""

TELLING_FIELDS = _LOGIN_FIELDS | {"is_staff", "is_superuser", "group_names", "permission_names"}
"""User fields whose change can take away a permission. The last two are those of `ws_lambda.users`."""

_log = logging.getLogger("ws_lambda")


def _on_login(sender: Any, request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    """Gives the login an id, and ends the login that it replaces in this browser: Django sends no logout signal."""
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
    except Exception:  # a login must not fail because of a socket; the schedule closes it
        _log.exception("The connections of a replaced login could not be closed")


def _on_logout(sender: Any, request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    session = getattr(request, "session", None)
    if request is None or session is None:
        return
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    login_id = known_login(session) or (login_behind(cookie) if cookie else "")  # the session may have expired
    if login_id:
        close_login(login_id)


def _on_key_changed(sender: Any, session: Any, **_kwargs: Any) -> None:
    try:
        follow_key(session)
    except Exception:  # a login must not fail because of a socket; at worst it reconnects
        _log.exception("The new session key of a login could not be stored for its connections")


def _on_user_saved(
    sender: Any, instance: Any, created: bool, update_fields: Any = None, using: str | None = None, **_kwargs: Any
) -> None:
    if created:
        return
    saved = TELLING_FIELDS if update_fields is None else TELLING_FIELDS & set(update_fields)
    if saved:
        once_committed(using, partial(_after_saving, instance, ends_logins=bool(saved & _LOGIN_FIELDS)))


def _after_saving(user: Any, *, ends_logins: bool) -> None:
    if ends_logins:
        record_changed_user(str(user.pk), accepted_hashes(user) if user.is_active else ())
    revalidate_users([str(user.pk)], saved=user)


def _on_user_deleted(sender: Any, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
    # Django removes the primary key after the signal.
    once_committed(using, partial(_after_deleting, str(instance.pk)))


def _after_deleting(user_id: str) -> None:
    record_changed_user(user_id, ())
    WebSocketSession.objects.filter(user=user_id, connected=True).disconnect()


def connect_signals() -> None:
    """Connects the receivers. Called once, when apps are ready."""
    for signal, receiver, sender in _listened():
        signal.connect(receiver, sender=sender, dispatch_uid=f"ws_lambda.{receiver.__name__}")


def disconnect_signals() -> None:
    """Disconnects the receivers."""
    for signal, receiver, sender in _listened():
        signal.disconnect(sender=sender, dispatch_uid=f"ws_lambda.{receiver.__name__}")


def _listened() -> list[tuple[Signal, Callable[..., None], Any]]:
    """Signals, receivers and senders. A proxy of the user model is a sender of its own."""
    models = [model for model in apps.get_models() if issubclass(model, get_user_model())]
    return [
        (user_logged_in, _on_login, None),
        (user_logged_out, _on_logout, None),
        (key_changed, _on_key_changed, None),
        *((post_save, _on_user_saved, model) for model in models),
        *((post_delete, _on_user_deleted, model) for model in models),
        *permission_changes.signal_receivers(),
    ]
