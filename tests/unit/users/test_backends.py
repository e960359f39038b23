"""Authentication and permissions."""

import asyncio
from typing import Any

import pytest
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.context_processors import PermWrapper
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import AnonymousUser
from django.test import override_settings

from ws_lambda.users.backends import DynamoDBBackend
from ws_lambda.users.checks import check_backend
from ws_lambda.users.models import User

GROUPS = {"GROUP_PERMISSIONS": {"moderators": ("chat.delete_message", "chat.ban"), "readers": ["news.read"]}}


class NewerHasher(MD5PasswordHasher):
    """A hasher that a project prefers by now, as quick as the one before."""

    algorithm = "newer"


@pytest.fixture
def red() -> User:
    return User.objects.create_user(
        "red", password="secret", group_names={"moderators", "unheard-of"}, permission_names={"chat.speak"}
    )


@pytest.mark.usefixtures("red")
def test_the_right_password_authenticates_whatever_the_names_case() -> None:
    user = authenticate(username="RED", password="secret")
    assert user is not None
    assert user.pk == "red"
    assert user.backend == "ws_lambda.users.backends.DynamoDBBackend"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("red", "wrong"),
        ("nobody", "secret"),
        ("", "secret"),
        ("x" * 3000, "secret"),
        ("red", ""),
        ("\ud800", "s"),
    ],
)
def test_anything_else_does_not_and_takes_as_long(
    red: User, username: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    assert authenticate(username=username, password=password) is None
    assert len(hashed) == 1


def test_an_inactive_user_is_not_let_in(red: User) -> None:
    red.is_active = False
    red.save()
    assert authenticate(username="red", password="secret") is None
    assert DynamoDBBackend().get_user("red") is None


def test_get_user(red: User, ws_requests: list[str]) -> None:
    ws_requests.clear()
    assert DynamoDBBackend().get_user("red") == red
    assert DynamoDBBackend().get_user("nobody") is None
    assert ws_requests == ["GetItem", "GetItem"]


def test_an_outdated_hash_is_upgraded_on_login(red: User, ws_requests: list[str]) -> None:
    before = User.objects.get(pk="red").password
    hashers = [f"{__name__}.NewerHasher", "django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        ws_requests.clear()
        assert authenticate(username="red", password="secret") is not None
        assert ws_requests == ["GetItem", "UpdateItem"]
        after = User.objects.get(pk="red").password
        assert (before[:4], after[:6]) == ("md5$", "newer$")
        assert authenticate(username="red", password="secret") is not None


@override_settings(WS_LAMBDA=GROUPS)
def test_permissions_come_from_the_user_and_the_groups(red: User, ws_requests: list[str]) -> None:
    ws_requests.clear()
    assert red.get_user_permissions() == {"chat.speak"}
    assert red.get_group_permissions() == {"chat.delete_message", "chat.ban"}
    assert red.get_all_permissions() == {"chat.speak", "chat.delete_message", "chat.ban"}
    assert red.has_perm("chat.ban")
    assert not red.has_perm("news.read")
    assert not red.has_perm("chat.ban", red)
    assert red.has_perms(["chat.ban", "chat.speak"])
    assert not red.has_perms(["chat.ban", "news.read"])
    assert red.has_module_perms("chat")
    assert not red.has_module_perms("cha")
    assert not red.has_module_perms("news")
    assert ws_requests == []


@override_settings(WS_LAMBDA=GROUPS)
def test_a_change_of_permissions_counts_at_once(red: User) -> None:
    assert not red.has_perm("news.read")
    red.group_names.add("readers")
    assert red.has_perm("news.read")


@override_settings(WS_LAMBDA=GROUPS)
def test_an_inactive_user_has_no_permission(red: User) -> None:
    red.is_active = False
    red.is_superuser = True
    assert red.get_all_permissions() == set()
    assert not red.has_perm("chat.speak")
    assert not red.has_module_perms("chat")


@override_settings(WS_LAMBDA=GROUPS)
def test_a_superuser_has_every_permission_there_is(red: User) -> None:
    red.is_superuser = True
    every = red.get_all_permissions()
    assert {"auth.add_group", "ws_lambda_users.change_user", "news.read", "chat.speak"} <= every
    assert red.get_group_permissions() <= every
    assert red.has_perm("anything.at_all")
    assert red.has_module_perms("anything")


def test_anonymous_has_none() -> None:
    assert AnonymousUser().get_all_permissions() == set()
    assert not AnonymousUser().has_module_perms("chat")


@override_settings(WS_LAMBDA=GROUPS)
def test_the_templates_perms(red: User) -> None:
    perms = PermWrapper(red)
    assert "chat.ban" in perms
    assert "chat" in perms
    assert "news" not in perms
    assert perms["chat"]["speak"]


@override_settings(WS_LAMBDA=GROUPS)
def test_with_perm(red: User) -> None:
    User.objects.create_user("blue", permission_names={"chat.ban"}, is_active=False)
    User.objects.create_superuser("boss")
    User.objects.create_user("grey")

    def having(*args: Any, **kwargs: Any) -> list[str]:
        return sorted(user.pk for user in User.objects.with_perm(*args, **kwargs))

    assert having("chat.ban") == ["boss", "red"]
    assert having("chat.ban", include_superusers=False) == ["red"]
    assert having("chat.ban", is_active=None) == ["blue", "boss", "red"]
    assert having("chat.ban", is_active=False) == ["blue"]
    assert having("chat.ban", obj=red) == []
    with pytest.raises(ValueError, match="codename"):
        having("ban")


@override_settings(WS_LAMBDA=GROUPS)
def test_async_twins(red: User) -> None:
    async def story() -> None:
        user = await aauthenticate(username="Red", password="secret")
        assert user == red
        assert await aauthenticate(username="red", password="wrong") is None
        assert await DynamoDBBackend().aget_user("red") == red
        assert await DynamoDBBackend().aget_user("nobody") is None
        assert await red.aget_all_permissions() == red.get_all_permissions()
        assert await red.ahas_perm("chat.ban")
        assert await red.ahas_perms(["chat.ban", "chat.speak"])
        assert await red.ahas_module_perms("chat")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("model", "backends", "ids"),
    [
        ("ws_lambda_users.User", ["ws_lambda.users.backends.DynamoDBBackend"], []),
        ("ws_lambda_users.User", ["django.contrib.auth.backends.ModelBackend"], ["ws_lambda_users.E001"]),
        ("auth.User", ["django.contrib.auth.backends.ModelBackend"], []),
    ],
)
def test_the_check_wants_the_backend(settings: Any, model: str, backends: list[str], ids: list[str]) -> None:
    settings.AUTHENTICATION_BACKENDS = backends
    settings.AUTH_USER_MODEL = model
    assert [message.id for message in check_backend(None)] == ids
