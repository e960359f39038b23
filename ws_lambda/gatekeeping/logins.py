"""Which Django login a request belongs to, and whether an earlier login is still in its session engine.

A login has a random id, which is stored in its Django session. It does not change with the session key (`cycle_key`),
and it is gone when the session is flushed.
"""

import secrets
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import signed_cookies
from django.contrib.sessions.backends.base import SessionBase
from pynamodb.exceptions import UpdateError

from ws_lambda.gatekeeping.encryption import decrypt, encrypt
from ws_lambda.models.login_marks import login_of_session_key
from ws_lambda.models.session import WebSocketSession
from ws_lambda.session_store import SessionStore
from ws_lambda.tables.shared_connection import condition_failed
from ws_lambda.tables.tokens import LoginOfKey, digest

SESSION_KEY = "_ws_lambda_login"
"""The key of the login's id in a Django session."""

MAX_KEY_LENGTH = 256
"""A longer session key is not a key but the session itself, as `signed_cookies` keeps it in the cookie."""

MAX_OTHERS = 25
"""How many connections of a login are searched for a newer session key."""


def begin_login(session: SessionBase) -> str:
    """The id of a login that has just begun. It is a new id, unless Django kept the session."""
    if SESSION_KEY not in session:
        session[SESSION_KEY] = secrets.token_hex(32)
    return str(session[SESSION_KEY])


def login_of(session: SessionBase) -> str:
    """The id of the session's login. It is stored in the session."""
    if SESSION_KEY not in session and session.session_key:
        session[SESSION_KEY] = known_login(session)
    return begin_login(session)


def known_login(session: SessionBase) -> str:
    """The id of the session's login; "" if there is none.

    A login without an id, such as one from before this package was installed, gets it from its session key. So two
    simultaneous requests give it the same id.
    """
    login_id = session.get(SESSION_KEY)
    return str(login_id) if login_id else digest(session.session_key) if session.session_key else ""


def proof_of_login(session: SessionBase) -> str | None:
    """The session's key, encrypted; None if the session engine stores nothing on the server."""
    key = session.session_key
    if not key or len(key) > MAX_KEY_LENGTH or isinstance(session, signed_cookies.SessionStore):
        return None
    return encrypt(key)


def login_behind(cookie: str) -> str:
    """The id of the login of a session cookie, even if the session is gone; "" if it is unknown."""
    store = _session_class()
    if issubclass(store, signed_cookies.SessionStore):
        return str(store(cookie).get(SESSION_KEY) or "")
    return login_of_session_key(cookie)


def follow_key(session: SessionBase) -> None:
    """Stores the new key of a session: for its open connections, and for finding its login by the new cookie."""
    login_id, key = session.get(SESSION_KEY), session.session_key
    if not login_id or not key:
        return
    LoginOfKey.of(digest(key), login_id).save()
    proof = proof_of_login(session)
    if proof is None:
        return
    for row in WebSocketSession.by_login.query(login_id):
        try:
            known = WebSocketSession.connection_id.exists()
            WebSocketSession(row.connection_id).update([WebSocketSession.login_proof.set(proof)], condition=known)
        except UpdateError as failed:
            if not condition_failed(failed):
                raise


def goes_on(session: WebSocketSession) -> bool | None:
    """Whether a connection's login is still in its session engine; None if it cannot be looked up there.

    If the session key has changed since the connect, another connection of the same login may have the new key.

    Raises:
        whatever the session engine raises.
    """
    key = decrypt(session.login_proof or "")
    if not session.login_id or key is None:
        return None
    if _is_there(key, session.login_id):
        return True
    rows = sorted(WebSocketSession.by_login.query(session.login_id), key=lambda row: row.connected_at, reverse=True)
    others = WebSocketSession.batch_get([row.connection_id for row in rows[:MAX_OTHERS]], consistent_read=True)
    keys = {decrypt(one.login_proof or "") for one in others} - {key, None}
    return any(_is_there(str(one), session.login_id) for one in keys)


def found_together(sessions: Iterable[WebSocketSession]) -> set[str]:
    """The logins of connections that one eventually consistent request finds in the session engine.

    Use `goes_on` for the others. Only `ws_lambda.session_store` can look up many sessions at once.

    Raises:
        whatever the session engine raises.
    """
    store = _session_class()
    if not issubclass(store, SessionStore) or store.load is not SessionStore.load:
        return set()
    by_key = {decrypt(one.login_proof or ""): one.login_id for one in sessions if one.login_id and one.login_proof}
    by_key.pop(None, None)
    if len(set(by_key.values())) < 2:  # a single login is looked up when it is needed
        return set()
    found = store.load_many(key for key in by_key if key)
    return {str(by_key[key]) for key, data in found.items() if str(data.get(SESSION_KEY) or digest(key)) == by_key[key]}


def _is_there(key: str, login_id: str) -> bool:
    store = _session_class()
    for _attempt in range(2):
        if known_login(store(key)) == login_id:
            return True
        if not store(key).exists(key):  # raises if a cache is down, whereas loading returns an empty session
            return False
    return False


def _session_class() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore
