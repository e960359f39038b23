"""What users can be looked up by, and the clear refusal of everything else."""

import asyncio
from typing import Any

import pytest
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db.models import Q

from ws_lambda.users.models import User


@pytest.fixture
def people() -> None:
    User.objects.create_user("red", "Shared@Example.com", is_staff=True)
    User.objects.create_user("blue", "shared@example.com", is_active=False)
    User.objects.create_user("green", "green@example.com")
    User.objects.create_user("grey")


def names(**lookups: Any) -> list[str]:
    return sorted(user.pk for user in User.objects.filter(**lookups))


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("lookups", "expected"),
    [
        ({}, ["blue", "green", "grey", "red"]),
        ({"pk": "red"}, ["red"]),
        ({"pk": "RED"}, ["red"]),
        ({"username": "red"}, ["red"]),
        ({"username__exact": "red"}, ["red"]),
        ({"username__iexact": "Red"}, ["red"]),
        ({"username": "nobody"}, []),
        ({"username": ""}, []),
        ({"username": None}, []),
        ({"username": 7}, []),
        ({"username": "x" * 3000}, []),
        ({"username": "\ud800"}, []),
        ({"username__in": ["Red", "green", "nobody", ""]}, ["green", "red"]),
        ({"username__in": []}, []),
        ({"username": "red", "username__in": ["blue"]}, []),
        ({"username": "red", "is_active": False}, []),
        ({"email__iexact": "SHARED@example.COM"}, ["blue", "red"]),
        ({"email__iexact": "shared@example.com", "is_active": True}, ["red"]),
        ({"email": "Shared@example.com"}, ["red"]),
        ({"email": "SHARED@example.com"}, []),
        ({"email": ""}, ["grey"]),
        ({"is_staff": True}, ["red"]),
        ({"is_active": False}, ["blue"]),
        ({"is_active": True, "is_staff": False}, ["green", "grey"]),
        ({"is_superuser": True}, []),
    ],
)
def test_filter(lookups: dict[str, Any], expected: list[str]) -> None:
    assert names(**lookups) == expected


@pytest.mark.parametrize(
    "lookup",
    ["first_name", "username__startswith", "email__in", "id", "is_staff__in", "groups", "username__"],
)
def test_an_unsupported_lookup_names_the_supported_ones(lookup: str) -> None:
    if lookup == "username__":
        assert names(username__="nobody") == []
        return
    with pytest.raises(FieldError, match=r"username__exact/iexact/in.*email__exact/iexact"):
        User.objects.filter(**{lookup: "x"})


@pytest.mark.usefixtures("people")
def test_q_joins_by_and_only() -> None:
    assert User.objects.get(Q(username="red") & Q(is_staff=True)).pk == "red"
    assert not User.objects.filter(Q(username="red"), is_staff=False).exists()
    with pytest.raises(FieldError, match="AND"):
        User.objects.filter(Q(username="red") | Q(username="blue"))
    with pytest.raises(FieldError, match="AND"):
        User.objects.filter(~Q(username="red"))


@pytest.mark.usefixtures("people")
def test_get_wants_exactly_one() -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get(username="nobody")
    with pytest.raises(User.MultipleObjectsReturned):
        User.objects.get(email__iexact="shared@example.com")
    assert User.objects.get(pk=User(username="red")).pk == "red"


@pytest.mark.usefixtures("people")
def test_order_slices_and_counts() -> None:
    assert [user.pk for user in User.objects.order_by("username")] == ["blue", "green", "grey", "red"]
    assert [user.pk for user in User.objects.order_by("-pk")[:2]] == ["red", "grey"]
    assert [user.pk for user in User.objects.order_by("-is_staff", "email", "pk")] == [
        "red",
        "grey",
        "green",
        "blue",
    ]
    assert User.objects.count() == 4
    assert User.objects.order_by("username")[1].pk == "green"
    assert bool(User.objects.filter(is_superuser=True)) is False
    with pytest.raises(FieldDoesNotExist):
        User.objects.order_by("colour")


@pytest.mark.usefixtures("people")
def test_none_comes_before_a_time(settings: Any) -> None:
    from django.utils import timezone

    red = User.objects.get(pk="red")
    red.last_login = timezone.now()
    red.save()
    assert [user.pk for user in User.objects.order_by("last_login", "pk")][-1] == "red"


@pytest.mark.usefixtures("people")
def test_results_are_kept_until_asked_for_anew(ws_requests: list[str]) -> None:
    ws_requests.clear()
    users = User.objects.filter(username="red")
    assert ws_requests == []
    assert [len(users), len(list(users)), bool(users)] == [1, 1, True]
    assert ws_requests == ["GetItem"]
    assert len(users.all()) == 1
    assert ws_requests == ["GetItem", "GetItem"]


def test_none_and_impossible_names_cost_nothing(ws_requests: list[str]) -> None:
    ws_requests.clear()
    assert list(User.objects.none()) == []
    assert not User.objects.filter(pk="x" * 200).exists()
    assert list(User.objects.filter(username__in=["", "x" * 200])) == []
    assert ws_requests == []


@pytest.mark.usefixtures("people")
def test_more_users_than_one_batch_reads(ws_requests: list[str]) -> None:
    from ws_lambda.users.user_row import UserRow

    with UserRow.batch_write() as batch:
        for number in range(120):
            batch.save(UserRow(f"user{number:03}", email="many@example.com", email_key="many@example.com"))
    ws_requests.clear()
    found = list(User.objects.filter(email__iexact="many@example.com"))
    assert [user.pk for user in found] == [f"user{number:03}" for number in range(120)]
    assert ws_requests == ["Query", "BatchGetItem", "BatchGetItem"]


@pytest.mark.parametrize("name", ["annotate", "exclude", "update", "values_list", "select_related", "bulk_create"])
def test_unsupported_methods_say_so(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"DynamoDB.*{name}"):
        getattr(User.objects.all(), name)
    with pytest.raises(AttributeError, match="DynamoDB"):
        getattr(User.objects, name)()


def test_an_unknown_attribute_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        User.objects.all().colour  # noqa: B018


def test_get_or_create(monkeypatch: pytest.MonkeyPatch) -> None:
    user, created = User.objects.get_or_create(username="Red", defaults={"email": "red@example.com"})
    assert (user.pk, user.email, created) == ("red", "red@example.com", True)
    again, created = User.objects.get_or_create(username="red", defaults={"email": "other@example.com"})
    assert (again.email, created) == ("red@example.com", False)


def test_get_or_create_that_loses_the_race_gets_the_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    real = User.save

    def lose(self: User, *args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(User, "save", real)
        User.objects.create_user("red", "winner@example.com")
        real(self, *args, **kwargs)

    monkeypatch.setattr(User, "save", lose)
    user, created = User.objects.get_or_create(username="red")
    assert (user.email, created) == ("winner@example.com", False)


@pytest.mark.usefixtures("people")
def test_async_twins() -> None:
    async def story() -> None:
        assert (await User.objects.aget(pk="red")).is_staff
        assert await User.objects.filter(pk="red").aexists()
        assert await User.objects.acount() == 4
        first = await User.objects.filter(pk="blue").afirst()
        assert first is not None
        assert first.pk == "blue"
        assert [user.pk async for user in User.objects.order_by("pk")] == ["blue", "green", "grey", "red"]
        _user, created = await User.objects.aget_or_create(username="white")
        assert created
        assert (await User.objects.acreate(username="black")).pk == "black"

    asyncio.run(story())
