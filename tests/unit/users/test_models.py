"""The user model: creating and reading, and what Django's own code asks of it."""

import asyncio
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from ws_lambda.users.models import User
from ws_lambda.users.user_row import UserRow


def test_it_is_the_user_model() -> None:
    assert get_user_model() is User


def test_every_field_comes_back() -> None:
    joined = timezone.now() - timedelta(days=3, microseconds=123457)
    User.objects.create(
        username="red",
        email="Red@Example.com",
        first_name="Rosa",
        last_name="Edler",
        password="x",
        is_staff=True,
        is_active=False,
        is_superuser=True,
        date_joined=joined,
        last_login=joined,
        group_names={"moderators"},
        permission_names={"chat.speak", "chat.listen"},
    )
    user = User.objects.get(username="red")
    assert (user.pk, user.email, user.get_full_name(), user.password) == (
        "red",
        "Red@Example.com",
        "Rosa Edler",
        "x",
    )
    assert (user.is_staff, user.is_active, user.is_superuser) == (True, False, True)
    assert (user.date_joined, user.last_login) == (joined, joined)
    assert (user.group_names, user.permission_names) == ({"moderators"}, {"chat.speak", "chat.listen"})


def test_attributes_that_are_not_stored_have_djangos_defaults() -> None:
    UserRow("bare").save()
    user = User.objects.get(pk="bare")
    assert (user.password, user.email, user.last_login) == ("", "", None)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert (user.group_names, user.permission_names) == (set(), set())


@pytest.mark.parametrize("use_tz", [True, False])
def test_times_come_back_as_the_project_has_them(settings: Any, use_tz: bool) -> None:
    settings.USE_TZ = use_tz
    settings.TIME_ZONE = "Asia/Kolkata"
    now = timezone.now()
    User.objects.create(username="red", last_login=now)
    assert UserRow.get("red").last_login.utcoffset() == timedelta(0)
    assert User.objects.get(pk="red").last_login == now


def test_create_user_hashes_and_folds() -> None:
    user = User.objects.create_user("Red", "red@EXAMPLE.com", "secret")
    assert user.username == "red"
    assert user.email == "red@example.com"
    assert UserRow.get("red").password.startswith("md5$")
    assert user.check_password("secret")
    assert not user.is_staff
    assert User.objects.create_superuser("boss", None, "secret").is_superuser


def test_a_name_can_be_taken_once_whatever_its_case() -> None:
    User.objects.create_user("red", password="first")
    with pytest.raises(IntegrityError, match="already a user named 'red'"):
        User.objects.create_user("RED", password="second")
    with pytest.raises(IntegrityError):
        User(username="\uff52\uff45\uff44").save()
    assert User.objects.get(pk="red").check_password("first")


def test_of_racing_creations_of_one_name_one_succeeds() -> None:
    def create(number: int) -> bool:
        try:
            User.objects.create_user("red", password=str(number))
        except IntegrityError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(16))) == 1


@pytest.mark.parametrize("name", ["", "x" * 151])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="username"):
        User(username=name).save()


def test_every_read_of_users_is_consistent() -> None:
    User.objects.create_user("red", "red@example.com")
    asked: list[bool] = []

    def listen(params: dict[str, Any], **_kwargs: Any) -> None:
        batch = params.get("RequestItems", {UserRow.Meta.table_name: params})
        asked.append(batch[UserRow.Meta.table_name].get("ConsistentRead", False))

    events = UserRow._get_connection().connection.client.meta.events
    for operation in ("GetItem", "BatchGetItem", "Scan"):
        events.register(f"provide-client-params.dynamodb.{operation}", listen)
    for lookup in ({"pk": "red"}, {"username__in": ["red"]}, {"email__iexact": "red@example.com"}, {"is_active": True}):
        assert User.objects.get(**lookup).pk == "red"
    assert asked == [True] * 4


def test_full_clean_checks_the_name_and_that_it_is_free() -> None:
    User.objects.create_user("red")
    with pytest.raises(ValidationError) as taken:
        User(username="RED", password="x").full_clean()
    assert "username" in taken.value.message_dict
    with pytest.raises(ValidationError, match="valid username"):
        User(username="no spaces!", password="x").full_clean()
    with pytest.raises(ValidationError, match=r"app_label\.codename"):
        User(username="blue", password="x", permission_names={"nonsense"}).full_clean()
    fine = User(username="Blue", password="x", permission_names={"chat.speak"})
    fine.full_clean()
    assert fine.username == "blue"


def test_users_are_compared_hashed_and_pickled_by_name() -> None:
    user = User.objects.create_user("red")
    again = User.objects.get(pk="red")
    assert user == again
    assert len({user, again, User(username="blue")}) == 2
    assert pickle.loads(pickle.dumps(user)).permission_names == set()  # noqa: S301 - our own bytes


def test_fixtures_are_dumped_and_loaded_over_existing_rows() -> None:
    User.objects.create_user("red", "red@example.com", group_names={"a", "b c"})
    text = serializers.serialize("json", User.objects.all())
    User.objects.get(pk="red").delete()
    User.objects.create_user("red", "other@example.com")
    for restored in serializers.deserialize("json", text):
        restored.save()
    user = User.objects.get(pk="red")
    assert (user.email, user.group_names) == ("red@example.com", {"a", "b c"})
    User.objects.get(pk="red").delete()
    for restored in serializers.deserialize("json", text):
        restored.save()
    assert User.objects.get(pk="red").email == "red@example.com"


def test_async_twins() -> None:
    async def story() -> None:
        user = await User.objects.acreate_user("red", password="secret")
        user.first_name = "Rosa"
        await user.asave(update_fields=["first_name"])
        again = await User.objects.aget_by_natural_key("RED")
        assert again.first_name == "Rosa"
        await again.arefresh_from_db()
        await again.adelete()
        assert not await User.objects.filter(pk="red").aexists()

    asyncio.run(story())


def test_what_each_operation_costs(ws_requests: list[str]) -> None:
    def cost(action: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
        ws_requests.clear()
        action(*args, **kwargs)
        return list(ws_requests)

    user = User.objects.create_user("red", "red@example.com", "secret")
    assert cost(User.objects.create_user, "blue", password="secret") == ["PutItem"]
    assert cost(User.objects.get, pk="red") == ["GetItem"]
    assert cost(User.objects.get_by_natural_key, "red") == ["GetItem"]
    assert cost(user.save) == ["UpdateItem"]
    assert cost(user.save, update_fields=["last_login"]) == ["UpdateItem"]
    assert cost(user.refresh_from_db) == ["GetItem"]
    assert cost(list, User.objects.filter(email__iexact="RED@example.com")) == ["Query", "BatchGetItem"]
    assert cost(list, User.objects.filter(email__iexact="no@example.com")) == ["Query"]
    assert cost(list, User.objects.filter(username__in=["red", "blue"])) == ["BatchGetItem"]
    assert cost(list, User.objects.filter(is_staff=True)) == ["Scan"]
    assert cost(User.objects.get_or_create, username="red") == ["GetItem"]
    assert cost(user.full_clean) == []
    assert cost(user.delete) == ["DeleteItem"]
