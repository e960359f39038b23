"""The user behind a session: found through Django's own auth backends, wherever they keep users."""

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
"""A user's id and the path of the auth backend that knows the user."""

BAD_ID = (TypeError, ValueError, OverflowError, ValidationError, DataError)
"""What a user model raises for an id that is none of its own. A database that is down raises none of these."""

_DJANGOS_WAY = "django.contrib.auth.backends.ModelBackend.get_user"
"""By its name: importing it takes a project that has `django.contrib.auth` installed."""

_log = logging.getLogger("ws_lambda")


def load_user(user_id: str, backend_path: str) -> Any:
    """The user, or None where they are gone, deactivated, or their backend is no longer configured.

    An id that the project's user model cannot have, such as one from before the model was replaced, is nobody's.
    """
    if not user_id or backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    try:
        user = load_backend(backend_path).get_user(user_id)
    except BAD_ID as error:
        if _is_possible(user_id):
            raise
        _log.warning("%r cannot be the id of a user, so it is nobody's: %s", user_id, error)
        return None
    return user if user is not None and user.is_active else None


def load_users(owners: Iterable[Owner], *, consistently: bool) -> dict[Owner, Any]:
    """The active ones of several users, by one request for all of a backend's where that can be.

    Ask `load_user` about whoever is not in the answer: a backend with a `get_user` of its own is not asked here.

    Args:
        consistently: whether they are read as they are now. As they were a moment ago is half the price in DynamoDB:
            take nothing from anybody for it.
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
    """Nobody where there is nothing to be saved, or where the backend finds users in a way of its own."""
    way = type(backend).get_user
    if len(user_ids) < 2 or f"{way.__module__}.{way.__qualname__}" != _DJANGOS_WAY:
        return []
    if not consistently and hasattr(backend, "get_users"):
        found: Iterable[Any] = backend.get_users(user_ids)
        return found
    model: Any = get_user_model()
    return [one for one in model._default_manager.filter(pk__in=user_ids) if backend.user_can_authenticate(one)]


def _is_possible(user_id: str) -> bool:
    """Whether a user of the project's model may have that id, as far as the model itself says."""
    field: Any = get_user_model()._meta.pk
    try:
        field.run_validators(field.to_python(user_id))
    except BAD_ID:
        return False
    return "\0" not in user_id


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
