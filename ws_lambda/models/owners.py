"""The user behind a session: found through Django's own auth backends, wherever they keep users."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import load_backend
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

if TYPE_CHECKING:
    from ws_lambda.models.sessions import WebSocketSession


def load_user(user_id: str, backend_path: str) -> Any:
    """The user, or None where they are gone, deactivated, or their backend is no longer configured."""
    if not user_id or backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(backend_path).get_user(user_id)
    return user if user is not None and user.is_active else None


def auth_hash_is_current(user: Any, auth_hash: str) -> bool:
    """Whether the login that `auth_hash` was taken from still holds: a changed password ends it.

    A user model without session auth hashes (not derived from AbstractBaseUser) has nothing to compare.
    """
    if not hasattr(user, "get_session_auth_hash"):
        return True
    return any(constant_time_compare(auth_hash, one) for one in accepted_hashes(user))


def accepted_hashes(user: Any) -> list[str]:
    """The session auth hashes that logins of the user may have; of a user model without any, what Django puts there."""
    if not hasattr(user, "get_session_auth_hash"):
        return [""]
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]


def login_holds(user: Any, auth_hash: str) -> bool:
    """Whether the user exists, is active and has not changed their password since `auth_hash`."""
    return user is not None and user.is_active and auth_hash_is_current(user, auth_hash)


def owner_still_valid(user_id: str, backend_path: str, auth_hash: str) -> Any:
    """The user, if their login holds; else None."""
    user = load_user(user_id, backend_path)
    return user if login_holds(user, auth_hash) else None


def lazy_user(session: "WebSocketSession") -> Any:
    """The session's user, read when a handler first touches it."""
    from django.contrib.auth.models import AnonymousUser

    return SimpleLazyObject(lambda: session.user or AnonymousUser())
