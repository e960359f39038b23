"""Which Django login a request belongs to, and whether a login of the past is still in its session engine.

A login is named by a random id that its Django session holds. Unlike the session key it stays when the key is changed
(`cycle_key`), and unlike the user it is gone when the session is flushed.
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
"""Where a Django session keeps its login's id."""

MAX_KEY_LENGTH = 256
"""A longer session key is no key, but the session itself, kept in the cookie."""

MAX_OTHERS = 25
"""Connections of a login that are looked at for a newer session key."""


def begin_login(session: SessionBase) -> str:
    """The id of the login that a session has just got: a new one, unless it goes on with the session it had."""
    if SESSION_KEY not in session:
        session[SESSION_KEY] = secrets.token_hex(32)
    return str(session[SESSION_KEY])


def login_of(session: SessionBase) -> str:
    """The id of the session's login, which the session keeps from now on."""
    if SESSION_KEY not in session and session.session_key:
        session[SESSION_KEY] = known_login(session)
    return begin_login(session)


def known_login(session: SessionBase) -> str:
    """The id of the session's login; "" where there can be none.

    A login that nobody has named, such as one from before this package, is named by its session key: two requests
    that name it at once give it the same name.
    """
    login_id = session.get(SESSION_KEY)
    return str(login_id) if login_id else digest(session.session_key) if session.session_key else ""


def proof_of_login(session: SessionBase) -> str | None:
    """What finds the session again, for this project alone; None where the session engine stores nothing."""
    key = session.session_key
    if not key or len(key) > MAX_KEY_LENGTH or isinstance(session, signed_cookies.SessionStore):
        return None
    return encrypt(key)


def login_behind(cookie: str) -> str:
    """The id of the login that a session cookie stood for, though the session may be gone by now; "" if unknown."""
    store = _session_class()
    if issubclass(store, signed_cookies.SessionStore):
        return str(store(cookie).get(SESSION_KEY) or "")
    return login_of_session_key(cookie)


def follow_key(session: SessionBase) -> None:
    """Lets a login be found by the key that its session has just got: from its open connections, and by a cookie."""
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
    """Whether a connection's login is still in its session engine; None where nothing can be looked for there.

    Where the login's session key was changed since the connect, another connection of the login may know the new one.

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
    """The logins, of those of several connections, that one request for all of them finds in the session engine.

    They were there a moment ago. `goes_on` knows about the others; only `ws_lambda.session_store` can be asked so.

    Raises:
        whatever the session engine raises.
    """
    store = _session_class()
    if not issubclass(store, SessionStore) or store.load is not SessionStore.load:
        return set()
    by_key = {decrypt(one.login_proof or ""): one.login_id for one in sessions if one.login_id and one.login_proof}
    by_key.pop(None, None)
    if len(set(by_key.values())) < 2:  # one is asked for as soon as it is needed
        return set()
    found = store.load_many(key for key in by_key if key)
    return {str(by_key[key]) for key, data in found.items() if str(data.get(SESSION_KEY) or digest(key)) == by_key[key]}


def _is_there(key: str, login_id: str) -> bool:
    store = _session_class()
    for _attempt in range(2):
        if known_login(store(key)) == login_id:
            return True
        if not store(key).exists(key):  # raises where a cache is down, which loading takes for no session
            return False
    return False


def _session_class() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore
