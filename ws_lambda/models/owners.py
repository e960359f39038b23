"""The user behind a session: found through Django's own auth backends, wherever they keep users."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model, load_backend
from django.core.exceptions import ValidationError
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


def load_users(owners: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Any]:
    """What `load_user` says of each of many users, by id and backend.

    Backends that look users up as Django's `ModelBackend` does are asked once for all; others for one after the other.
    """
    ids_by_backend: dict[str, set[str]] = defaultdict(set)
    for user_id, path in owners:
        ids_by_backend[path].add(user_id)
    found: dict[tuple[str, str], Any] = {}
    for path, ids in ids_by_backend.items():
        in_bulk = _in_bulk(path, ids)
        found |= {(one, path): load_user(one, path) if in_bulk is None else in_bulk.get(one) for one in ids}
    return found


def _in_bulk(path: str, ids: Collection[str]) -> dict[str, Any] | None:
    """The active users among those, by id; None where they have to be asked for one by one."""
    if len(ids) == 1 or path not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend: Any = load_backend(path)
    definer = next(one for one in type(backend).__mro__ if "get_user" in vars(one))
    if (definer.__module__, definer.__name__) != ("django.contrib.auth.backends", "ModelBackend"):
        return None
    model: Any = get_user_model()
    try:
        keys = [model._meta.pk.to_python(one) for one in ids if one]
    except ValidationError:  # one of them is no key of this model, which only asking for it tells of
        return None
    users = model._default_manager.filter(pk__in=keys)
    return {str(one.pk): one for one in users if one.is_active and backend.user_can_authenticate(one)}


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
