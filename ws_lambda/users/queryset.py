"""The part of Django's queryset that DynamoDB can answer."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from itertools import islice
from typing import Any, Generic

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, models
from django.db.models import Q

from ws_lambda.users import storing
from ws_lambda.users.lookups import Criterion, parse
from ws_lambda.users.names import fold
from ws_lambda.users.storing import User


def _rank(name: str, user: AbstractUser) -> tuple[bool, Any]:
    """The sort key of a user by a field. None comes first."""
    value = getattr(user, name)
    return value is not None, value


class UserQuerySet(Generic[User]):
    """A lazy selection of users. They are read when they are needed, and are then cached, like with Django.

    A lookup by username costs one read, one by email address a query and a read. Any other reads the whole table.
    """

    def __init__(self, model: type[User], criteria: tuple[Criterion, ...] = (), order: tuple[str, ...] = ()) -> None:
        self.model = model
        self._criteria = criteria
        self._order = order
        self._found: list[User] | None = None

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and hasattr(models.QuerySet, name):
            raise AttributeError(f"Users are in DynamoDB, which does not support QuerySet.{name}().")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def all(self) -> "UserQuerySet[User]":
        """The same selection, without the cache."""
        return UserQuerySet(self.model, self._criteria, self._order)

    def using(self, _alias: str | None) -> "UserQuerySet[User]":
        """The same selection. There is only one DynamoDB, whichever SQL database is named."""
        return self.all()

    def none(self) -> "UserQuerySet[User]":
        """An empty selection, without a request."""
        return self.filter(username__in=())

    def filter(self, *args: Q, **kwargs: Any) -> "UserQuerySet[User]":
        """The users that match all lookups. `lookups.SUPPORTED` lists them.

        Raises:
            FieldError: a lookup is not supported.
        """
        return UserQuerySet(self.model, (*self._criteria, *parse(self.model, args, kwargs)), self._order)

    def order_by(self, *names: str) -> "UserQuerySet[User]":
        """Orders by fields, descending with a `-` before the name. All users are read and sorted in memory."""
        for name in names:
            self.model._meta.get_field("username" if name.lstrip("-") == "pk" else name.lstrip("-"))
        return UserQuerySet(self.model, self._criteria, names)

    def get(self, *args: Q, **kwargs: Any) -> User:
        """The one user that matches.

        Raises:
            User.DoesNotExist: there is none.
            User.MultipleObjectsReturned: there are several.
        """
        found = list(islice(self.filter(*args, **kwargs).iterator(), 2))
        if not found:
            raise self.model.DoesNotExist("There is no such user.")
        if len(found) > 1:
            raise self.model.MultipleObjectsReturned("More than one user matches.")
        return found[0]

    def first(self) -> User | None:
        """The first user, or None."""
        return next(self.iterator(), None)

    def exists(self) -> bool:
        """Whether there is any user."""
        return self.first() is not None

    def count(self) -> int:
        """The number of users. It reads all of them."""
        return len(self)

    def create(self, **fields: Any) -> User:
        """Stores a new user. `create_user` also hashes the password.

        Raises:
            IntegrityError: the name is taken.
        """
        user = self.model(**fields)
        user.save(force_insert=True)
        return user

    def get_or_create(self, defaults: dict[str, Any] | None = None, **fields: Any) -> tuple[User, bool]:
        """The user that matches or a new one, and whether it is new."""
        try:
            return self.get(**fields), False
        except self.model.DoesNotExist:
            try:
                return self.create(**{**fields, **(defaults or {})}), True
            except IntegrityError:
                return self.get(**fields), False

    def iterator(self, chunk_size: int | None = None) -> Iterator[User]:
        """Reads the users one after the other, or all first if an order is given."""
        users = (user for user in self._candidates() if all(one.accepts(user) for one in self._criteria))
        return iter(self._sorted(users)) if self._order else users

    def _candidates(self) -> Iterator[User]:
        """Reads candidates in the cheapest way: by key, keys, index, or the whole table."""
        for one in self._criteria:
            if one.field == "username" and one.lookup == "exact":
                return storing.fetch(self.model, one.value)
        for one in self._criteria:
            if one.field == "username":
                return storing.fetch_many(self.model, one.value)
        for one in self._criteria:
            if one.field == "email" and one.value:
                return storing.fetch_by_email(self.model, fold(one.value))
        flags = {one.field: one.value for one in self._criteria if one.field in storing.FLAGS}
        return storing.scan(self.model, flags)

    def _sorted(self, users: Iterator[User]) -> list[User]:
        found = list(users)
        for name in reversed(self._order):
            found.sort(key=partial(_rank, name.lstrip("-")), reverse=name.startswith("-"))
        return found

    def _all(self) -> list[User]:
        if self._found is None:
            self._found = list(self.iterator())
        return self._found

    def __iter__(self) -> Iterator[User]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __bool__(self) -> bool:
        return bool(self._all())

    def __getitem__(self, index: int | slice) -> Any:
        return self._all()[index]

    def __aiter__(self) -> AsyncIterator[User]:
        async def users() -> AsyncIterator[User]:
            for user in await sync_to_async(self._all)():
                yield user

        return users()

    async def aget(self, *args: Q, **kwargs: Any) -> User:
        """See `get`."""
        return await sync_to_async(self.get)(*args, **kwargs)

    async def afirst(self) -> User | None:
        """See `first`."""
        return await sync_to_async(self.first)()

    async def aexists(self) -> bool:
        """See `exists`."""
        return await sync_to_async(self.exists)()

    async def acount(self) -> int:
        """See `count`."""
        return await sync_to_async(self.count)()

    async def acreate(self, **fields: Any) -> User:
        """See `create`."""
        return await sync_to_async(self.create)(**fields)

    async def aget_or_create(self, defaults: dict[str, Any] | None = None, **fields: Any) -> tuple[User, bool]:
        """See `get_or_create`."""
        return await sync_to_async(self.get_or_create)(defaults, **fields)
