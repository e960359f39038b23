"""Putting connections out when the login or the user behind them ends.

Where Django sends a signal the socket closes at once; what sends none (a password changed by a script, a user
deactivated in another system) is found when the connection next speaks, every REVALIDATE_USER_SECONDS, and of one
that does not speak by the schedule (`housekeeping`).
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db import connections, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal
from django.http import HttpRequest

from ws_lambda import clock, delivery
from ws_lambda.conf import conf
from ws_lambda.exceptions import InvalidConnectionId
from ws_lambda.models.attributes import milliseconds
from ws_lambda.models.closing import close_and_drop, close_gone
from ws_lambda.models.owners import load_user, login_holds, owner_still_valid
from ws_lambda.models.sessions import WebSocketSession
from ws_lambda.models.tokens import EndedLogin, digest

_TELLING_FIELDS = frozenset({"password", "is_active"})
"""User fields whose change can end a login."""


def revalidate(session: WebSocketSession) -> None:
    """Reads the user again, once in REVALIDATE_USER_SECONDS of a connection that speaks.

    Raises:
        InvalidConnectionId: he is gone, deactivated, logged out or has a new password. The socket is closed.
    """
    if not session.user_id or not _is_due(session):
        return
    user = owner_still_valid(session.user_id, session.auth_backend or "", session.auth_hash or "")
    if user is None or EndedLogin.happened(session.login_id or ""):
        session.disconnect()
        raise InvalidConnectionId()
    session.__dict__["user"] = user


def _is_due(session: WebSocketSession) -> bool:
    """Whether this message is the first one of a new interval since the connect. Nothing needs to be stored."""
    interval = conf.REVALIDATE_USER_SECONDS * 1000
    if interval <= 0:
        return True
    began = milliseconds(session.connected_at)
    before = milliseconds(session.previous_seen_at or session.connected_at)
    return (milliseconds(session.last_seen_at) - began) // interval > (before - began) // interval


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
    closed = close_gone(stale)
    delivery.close(stale)
    return closed


def _owner(session: WebSocketSession) -> tuple[str, str]:
    return session.user_id or "", session.auth_backend or ""


def _is_silent(session: WebSocketSession) -> bool:
    """Whether it is open and no message has come for so long that the user would have been read again."""
    quiet = clock.utcnow() - session.last_seen_at
    return session.connected and quiet >= timedelta(seconds=conf.REVALIDATE_USER_SECONDS)


def close_login(session_key: str) -> None:
    """Ends a Django login for WebSockets: its unused tokens are worthless, its connections are closed."""
    login = digest(session_key)
    EndedLogin.record(login)
    _close(row for row in WebSocketSession.by_login.query(login))


def close_user(user: Any) -> None:
    """Closes the connections of a user whose logins no longer hold; those of a current login stay."""
    ids = [row.connection_id for row in WebSocketSession.by_user.query(str(user.pk)) if row.live_shard is not None]
    found = WebSocketSession.batch_get(ids, consistent_read=True)
    _close(session for session in found if not login_holds(user, session.auth_hash or ""))


def _close(rows: Any) -> None:
    close_and_drop(
        delivery.Recipient(row.connection_id, row.endpoint_url, milliseconds(row.connected_at))
        for row in rows
        if row.live_shard is not None
    )


def _on_logout(sender: Any, request: HttpRequest | None, user: Any, **_kwargs: Any) -> None:
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key:
        close_login(key)


def _on_user_saved(
    sender: Any, instance: Any, created: bool, update_fields: Any = None, using: str | None = None, **_kwargs: Any
) -> None:
    if not created and (update_fields is None or _TELLING_FIELDS & set(update_fields)):
        _once_committed(using, partial(close_user, instance))


def _on_user_deleted(sender: Any, instance: Any, using: str | None = None, **_kwargs: Any) -> None:
    # Django takes the primary key away once the signal has been sent.
    sessions = WebSocketSession.objects.filter(user=instance, connected=True)
    _once_committed(using, sessions.disconnect)


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
        (user_logged_out, _on_logout, None),
        *((post_save, _on_user_saved, model) for model in models),
        *((post_delete, _on_user_deleted, model) for model in models),
    ]
