"""Reading and writing users: from Django's model to the DynamoDB table and back, with one request each."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import DatabaseError, IntegrityError, models
from django.utils import timezone
from pynamodb.exceptions import DeleteError, PutError, UpdateError

from ws_lambda.tables.shared_connection import condition_failed
from ws_lambda.users.names import fold, is_possible
from ws_lambda.users.user_row import UserRow

User = TypeVar("User", bound=AbstractUser)
"""The class in `users.models`, which uses this module, or a class derived from it."""

FLAGS = ("is_active", "is_staff", "is_superuser")


def _zone() -> tzinfo:
    """The time zone of naive datetimes without USE_TZ, whatever time zone a request has activated."""
    return timezone.get_default_timezone()


def _to_stored(value: Any) -> Any:
    """The stored form of a field's value; None if there is nothing to store."""
    if isinstance(value, datetime):
        aware = timezone.make_aware(value, _zone()) if timezone.is_naive(value) else value
        return aware.astimezone(UTC)
    if isinstance(value, (set, frozenset, list, tuple)):
        return set(value) or None  # DynamoDB has no empty sets
    return value


def _from_stored(field: "models.Field[Any, Any]", value: Any) -> Any:
    if value is None and not field.null:
        return field.get_default()
    if isinstance(value, datetime) and not settings.USE_TZ:
        return timezone.make_naive(value, _zone())
    return value


def _stored(user: AbstractUser, names: Iterable[str]) -> dict[str, Any]:
    """The stored attributes for fields of a user."""
    values = {name: _to_stored(getattr(user, name)) for name in names}
    if "email" in values:
        values["email_key"] = fold(values["email"] or "") or None
    return values


def _to_user(model: type[User], item: UserRow) -> User:
    fields = model._meta.concrete_fields
    values = [_from_stored(field, getattr(item, field.attname)) for field in fields]
    return model.from_db(None, [field.attname for field in fields], values)


def insert(user: AbstractUser) -> None:
    """Stores a new user.

    Raises:
        ValueError: no user can have this name.
        IntegrityError: the name is taken. Of two simultaneous calls, one raises it.
    """
    if not is_possible(user.username):
        raise ValueError("A username must have 1 to 150 characters.")
    names = [field.attname for field in user._meta.concrete_fields]
    try:
        UserRow(**_stored(user, names)).save(UserRow.username.does_not_exist())
    except PutError as error:
        if not condition_failed(error):
            raise
        raise IntegrityError(f"There is already a user named {user.username!r}.") from error


def update(user: AbstractUser, names: Iterable[str]) -> None:
    """Writes some fields of a stored user.

    Raises:
        DatabaseError: there is no such user. A deleted user is not created again.
    """
    actions = []
    for name, value in _stored(user, names).items():
        attribute = getattr(UserRow, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
    try:
        UserRow(user.username).update(actions, condition=UserRow.username.exists())
    except UpdateError as error:
        if not condition_failed(error):
            raise
        raise DatabaseError(
            f"There is no user named {user.username!r}. The user was deleted, or renamed, which is not possible."
        ) from error


def delete(user: AbstractUser) -> bool:
    """Deletes a user. Returns whether there was one, even if the answer to the first attempt was lost."""
    try:
        UserRow(user.username).delete(UserRow.username.exists())
    except DeleteError as error:
        if not condition_failed(error):
            raise
        return False
    return True


def fetch(model: type[User], username: str) -> Iterator[User]:
    """The user of a folded name, read consistently; empty if there is none."""
    if not is_possible(username):
        return
    try:
        item = UserRow.get(username, consistent_read=True)
    except UserRow.DoesNotExist:
        return
    yield _to_user(model, item)


def fetch_many(model: type[User], usernames: Iterable[str], *, consistently: bool = True) -> Iterator[User]:
    """The users of folded names, ordered by name: one request for a hundred.

    Args:
        consistently: whether to read consistently, which costs twice as much.
    """
    possible = [name for name in usernames if is_possible(name)]
    items = UserRow.batch_get(possible, consistent_read=consistently)
    for item in sorted(items, key=lambda item: item.username):
        yield _to_user(model, item)


def fetch_by_email(model: type[User], email_key: str) -> Iterator[User]:
    """The users of a folded email address: one query for their names, and one read."""
    return fetch_many(model, [entry.username for entry in UserRow.by_email.query(email_key)])


def scan(model: type[User], flags: dict[str, bool]) -> Iterator[User]:
    """Every user with those flags. DynamoDB reads the whole table."""
    condition = None
    for name, value in flags.items():
        condition &= getattr(UserRow, name) == value
    for item in UserRow.scan(condition, consistent_read=True):
        yield _to_user(model, item)
