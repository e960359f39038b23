"""Accounts to log in with on this machine, from the setting `WS_LOCAL_ACCOUNTS`.

WS_LOCAL_ACCOUNTS = {"red": {"password": "red-demo"}, "staff": {"password": "staff-demo", "is_staff": True}}
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher, make_password
from django.db import DatabaseError


class AccountsError(Exception):
    """The accounts cannot be created in the project's database."""


def configured() -> Mapping[str, Mapping[str, Any]]:
    """Usernames, each with the fields of its user, password included."""
    accounts: Mapping[str, Mapping[str, Any]] = getattr(settings, "WS_LOCAL_ACCOUNTS", {})
    return accounts


def create() -> None:
    """Creates the accounts that do not exist yet.

    Raises:
        AccountsError: the database of the users is missing or not migrated.
    """
    try:
        for username, given in configured().items():
            _create(username, given)
    except DatabaseError as error:
        raise AccountsError(
            f"The accounts of WS_LOCAL_ACCOUNTS cannot be created ({error}). Run `manage.py migrate` first."
        ) from error


def _create(username: str, given: Mapping[str, Any]) -> None:
    model = get_user_model()
    manager: Any = model._default_manager
    try:
        manager.get_by_natural_key(username)
    except model.DoesNotExist:
        fields = dict(given)
        password = str(fields.pop("password"))
        user = manager.create_user(username, password=None, **fields)
        user.password = _quick_hash(password)
        user.save()


def _quick_hash(password: str) -> str:
    """A password hash that costs no start-up time. Django replaces it by a proper one at the first login."""
    hasher = get_hasher()
    if isinstance(hasher, PBKDF2PasswordHasher):
        return hasher.encode(password, hasher.salt(), iterations=1)
    return make_password(password)
