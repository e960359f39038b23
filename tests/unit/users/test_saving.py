"""Users that are there already: saving, deleting and refreshing them, and the signals sent."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.utils import timezone
from pynamodb.exceptions import PutError, UpdateError

from ws_lambda.users.models import User
from ws_lambda.users.user_row import UserRow

Signals = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def signals() -> Iterator[Signals]:
    """The model signals sent for users, in order."""
    sent: Signals = []
    listening = []
    for name, signal in {
        "pre_save": pre_save,
        "post_save": post_save,
        "pre_delete": pre_delete,
        "post_delete": post_delete,
    }.items():

        def listen(name: str = name) -> Callable[..., None]:
            return lambda **kwargs: sent.append((name, kwargs))

        heard = listen()
        signal.connect(heard, sender=User)
        listening.append((signal, heard))
    yield sent
    for signal, heard in listening:
        signal.disconnect(heard, sender=User)


def test_update_fields_leaves_the_rest_alone() -> None:
    User.objects.create_user("red", "red@example.com", "secret")
    one, other = User.objects.get(pk="red"), User.objects.get(pk="red")
    one.is_active = False
    one.save(update_fields=["is_active"])
    other.last_login = timezone.now()
    other.save(update_fields=["last_login"])
    stored = User.objects.get(pk="red")
    assert (stored.is_active, stored.last_login) == (False, other.last_login)


def test_update_fields_must_be_fields() -> None:
    user = User.objects.create_user("red")
    with pytest.raises(ValueError, match="do not exist"):
        user.save(update_fields=["colour"])
    with pytest.raises(ValueError, match="force"):
        user.save(force_insert=True, update_fields=["email"])


def test_no_update_fields_is_no_save(ws_requests: list[str], signals: Signals) -> None:
    user = User.objects.create_user("red")
    ws_requests.clear()
    signals.clear()
    user.save(update_fields=[])
    assert ws_requests == []
    assert signals == []


def test_a_deleted_user_is_not_resurrected() -> None:
    user = User.objects.create_user("red")
    User.objects.get(pk="red").delete()
    with pytest.raises(DatabaseError, match="no user named 'red'"):
        user.save()
    with pytest.raises(DatabaseError):
        user.save(update_fields=["last_login"])
    assert not User.objects.filter(pk="red").exists()


def test_a_name_cannot_be_changed() -> None:
    user = User.objects.create_user("red")
    user.username = "blue"
    with pytest.raises(DatabaseError, match="renamed"):
        user.save()
    assert [user.pk for user in User.objects.all()] == ["red"]


def raw(username: str) -> dict[str, Any]:
    """A user's item as DynamoDB has it."""
    client = UserRow._get_connection().connection.client
    item: dict[str, Any] = client.get_item(TableName=UserRow.Meta.table_name, Key={"username": {"S": username}})["Item"]
    return item


def test_emptied_fields_are_emptied() -> None:
    user = User.objects.create_user("red", "red@example.com", permission_names={"a.b"}, last_login=timezone.now())
    user.email, user.permission_names, user.last_login = "", set(), None
    user.save()
    stored = User.objects.get(pk="red")
    assert (stored.email, stored.permission_names, stored.last_login) == ("", set(), None)
    # Removed, not null: DynamoDB refuses a null in a key of an index, and moto lets it pass.
    assert raw("red").keys().isdisjoint({"email_key", "permission_names", "last_login"})
    assert "email_key" not in raw(User.objects.create_user("grey").pk)


def test_delete_tells_what_it_deleted() -> None:
    user = User.objects.create_user("red")
    assert user.delete() == (1, {"ws_lambda_users.User": 1})
    assert user.delete() == (0, {"ws_lambda_users.User": 0})
    with pytest.raises(User.DoesNotExist):
        User.objects.get(pk="red")


def test_a_deleted_name_can_be_taken_again() -> None:
    user = User.objects.create_user("red")
    user.delete()
    user.save()
    assert User.objects.filter(pk="red").exists()


def test_refresh_reads_all_or_some_fields() -> None:
    user = User.objects.create_user("red", "old@example.com")
    other = User.objects.get(pk="red")
    other.email, other.first_name = "new@example.com", "Rosa"
    other.save()
    user.refresh_from_db(fields=["first_name"])
    assert (user.email, user.first_name) == ("old@example.com", "Rosa")
    user.refresh_from_db()
    assert user.email == "new@example.com"
    other.delete()
    with pytest.raises(User.DoesNotExist):
        user.refresh_from_db()


def test_signals_are_djangos(signals: Signals) -> None:
    user = User.objects.create_user("red")
    user.save(update_fields=["password"])
    user.save()
    user.delete()
    told = [
        (name, kwargs.get("created"), kwargs.get("update_fields"), kwargs["instance"] is user)
        for name, kwargs in signals
    ]
    assert told == [
        ("pre_save", None, None, True),
        ("post_save", True, None, True),
        ("pre_save", None, frozenset({"password"}), True),
        ("post_save", False, frozenset({"password"}), True),
        ("pre_save", None, None, True),
        ("post_save", False, None, True),
        ("pre_delete", None, None, True),
        ("post_delete", None, None, True),
    ]
    assert signals[1][1]["raw"] is False
    assert signals[-1][1]["origin"] is user


def test_a_refused_save_sends_no_post_save(signals: Signals) -> None:
    User.objects.create_user("red")
    signals.clear()
    with pytest.raises(IntegrityError):
        User.objects.create_user("red")
    assert [name for name, _ in signals] == ["pre_save"]


def test_other_failures_of_dynamodb_are_not_taken_for_conflicts() -> None:
    user = User.objects.create_user("red")
    UserRow.delete_table()
    with pytest.raises(PutError):
        User.objects.create_user("blue")
    with pytest.raises(UpdateError):
        user.save()
