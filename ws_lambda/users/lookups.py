"""What `User.objects.filter()` understands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import FieldError
from django.db.models import Q

from ws_lambda.users.names import fold
from ws_lambda.users.storing import FLAGS

SUPPORTED = {
    "username": ("exact", "iexact", "in"),
    "email": ("exact", "iexact"),
    **dict.fromkeys(FLAGS, ("exact",)),
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition on a user."""

    field: str
    lookup: str
    value: Any

    def accepts(self, user: AbstractUser) -> bool:
        """Whether the user meets the condition."""
        actual = getattr(user, self.field)
        if self.lookup == "in":
            return bool(actual in self.value)
        return bool((fold(actual) if self.lookup == "iexact" else actual) == self.value)


def _username(model: type[AbstractUser], value: Any) -> str:
    """The stored form of a username, from a name or a user."""
    return str(model.normalize_username(str(getattr(value, "pk", value))))


def _criterion(model: type[AbstractUser], name: str, value: Any) -> Criterion:
    field, _, lookup = name.partition("__")
    field = "username" if field == "pk" else field
    lookup = lookup or "exact"
    if lookup not in SUPPORTED.get(field, ()):
        known = ", ".join(f"{f}__{'/'.join(names)}" for f, names in SUPPORTED.items())
        raise FieldError(
            f"Users are in DynamoDB and cannot be looked up by {name!r}. Supported: {known}; pk is username."
        )
    if field == "username":
        if lookup == "in":
            return Criterion(field, lookup, frozenset(_username(model, one) for one in value))
        return Criterion(field, "exact", _username(model, value))
    if lookup == "iexact":
        return Criterion(field, lookup, fold(str(value)))
    return Criterion(field, lookup, value)


def parse(model: type[AbstractUser], args: tuple[Q, ...], kwargs: dict[str, Any]) -> Iterator[Criterion]:
    """The criteria of a call of `filter` or `get`.

    Raises:
        FieldError: DynamoDB has no key for a lookup. The message lists the supported lookups.
    """
    for q in args:
        if q.negated or (q.connector != Q.AND and len(q) > 1):
            raise FieldError("Users are in DynamoDB, so a Q may only combine lookups with AND.")
        for child in q.children:
            if isinstance(child, Q):
                yield from parse(model, (child,), {})
            else:
                yield _criterion(model, *child)  # type: ignore[misc] # a pair of name and value
    for name, value in kwargs.items():
        yield _criterion(model, name, value)
