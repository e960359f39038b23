"""The users of sessions, read through Django's auth backends, wherever those keep users."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, load_backend
from django.core.exceptions import ValidationError
from django.db import DataError
from django.utils.crypto import constant_time_compare

Owner = tuple[str, str]
"""A user's id, and the path of the auth backend that can read the user."""

BAD_ID = (TypeError, ValueError, OverflowError, ValidationError, DataError)
"""What a user model raises for an impossible id. A database that is down raises none of these."""

_DJANGOS_WAY = "django.contrib.auth.backends.ModelBackend.get_user"
"""As a name, because importing it needs `django.contrib.auth` in INSTALLED_APPS."""

_log = logging.getLogger("ws_lambda")


def load_user(user_id: str, backend_path: str) -> Any:
    """The user, or None if they are gone or deactivated, or if their backend is no longer configured.

    An id that the project's user model cannot have, such as one from an earlier user model, belongs to nobody.
    """
    if not user_id or backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    try:
        user = load_backend(backend_path).get_user(user_id)
    except BAD_ID as error:
        if _is_possible(user_id):
            raise
        _log.warning("%r cannot be the id of a user, so it belongs to nobody: %s", user_id, error)
        return None
    return user if user is not None and user.is_active else None


def load_users(owners: Iterable[Owner], *, consistently: bool) -> dict[Owner, Any]:
    """Reads several users, with one request for each backend where that is possible. Only active users are returned.

    Use `load_user` for users who are not in the answer: a backend with a `get_user` of its own is not asked here.

    Args:
        consistently: whether to read consistently. An eventually consistent read costs half in DynamoDB, but is not
            enough to take anything away from a user.
    """
    asked: dict[str, list[str]] = defaultdict(list)
    for user_id, path in owners:
        if path in settings.AUTHENTICATION_BACKENDS and _is_possible(user_id):
            asked[path].append(user_id)
    return {
        (str(user.pk), path): user
        for path, user_ids in asked.items()
        for user in _together(load_backend(path), user_ids, consistently)
        if user.is_active
    }


def _together(backend: Any, user_ids: list[str], consistently: bool) -> Iterable[Any]:
    """Reads several users with one request; none if it saves nothing or the backend has a `get_user` of its own."""
    way = type(backend).get_user
    if len(user_ids) < 2 or f"{way.__module__}.{way.__qualname__}" != _DJANGOS_WAY:
        return []
    if not consistently and hasattr(backend, "get_users"):
        found: Iterable[Any] = backend.get_users(user_ids)
        return found
    model: Any = get_user_model()
    return [one for one in model._default_manager.filter(pk__in=user_ids) if backend.user_can_authenticate(one)]


def _is_possible(user_id: str) -> bool:
    """Whether the project's user model accepts an id."""
    field: Any = get_user_model()._meta.pk
    try:
        field.run_validators(field.to_python(user_id))
    except BAD_ID:
        return False
    return "\0" not in user_id


def auth_hash_is_current(user: Any, auth_hash: str) -> bool:
    """Whether the login with this session auth hash is still valid. A changed password ends it.

    It always is with a user model that has no session auth hashes (one that is not derived from AbstractBaseUser).
    """
    if not hasattr(user, "get_session_auth_hash"):
        return True
    return any(constant_time_compare(auth_hash, one) for one in accepted_hashes(user))


def accepted_hashes(user: Any) -> list[str]:
    """The valid session auth hashes of a user; [""] with a user model that has none."""
    if not hasattr(user, "get_session_auth_hash"):
        return [""]
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]


def login_holds(user: Any, auth_hash: str) -> bool:
    """Whether the user exists, is active and has not changed their password since `auth_hash`."""
    return user is not None and user.is_active and auth_hash_is_current(user, auth_hash)


def owner_still_valid(user_id: str, backend_path: str, auth_hash: str) -> Any:
    """The user, if their login is valid; else None."""
    user = load_user(user_id, backend_path)
    return user if login_holds(user, auth_hash) else None
