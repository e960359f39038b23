"""The part of a queryset that the Django admin uses, over DynamoDB.

A `RowSource` knows one table. It hands out pages and never a total: counting would read the whole table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, Self

from django.core import signing
from django.db import models
from pynamodb.pagination import ResultIterator

PAGE_SIZE = 50
"""Rows of a page: their details are one BatchGetItem."""


MAX_KEY_BYTES = 2048
"""DynamoDB refuses to look for a longer partition key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some rows, and where the next ones begin."""

    rows: Sequence[models.Model]
    cursor: str = ""
    """What to ask the next page with; "" on the last one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a change list was asked for."""

    filters: Mapping[str, str] = field(default_factory=dict)
    search: str = ""
    cursor: str = ""
    size: int = PAGE_SIZE

    @property
    def after(self) -> Any:
        """The continuation key to go on from; None for the first page, and for a cursor of another question."""
        try:
            return signing.loads(self.cursor, salt=self._salt) if self.cursor else None
        except signing.BadSignature:
            return None

    def cursor_of(self, key: Any) -> str:
        """A continuation key as a query parameter; signed, so that nobody reads from a place of their own making."""
        return signing.dumps(key, salt=self._salt, compress=True) if key else ""

    @property
    def _salt(self) -> str:
        return f"ws_lambda.admin {sorted(self.filters.items())}"


class RowSource:
    """Where the rows of one admin page come from, and how they are changed."""

    model: ClassVar[type[models.Model]]
    """The admin model of the rows."""

    def page(self, asked: Asked) -> Page:
        """One page, for a bounded number of requests."""
        raise NotImplementedError

    def many(self, keys: Sequence[str]) -> list[Any]:
        """The rows that have these primary keys."""
        raise NotImplementedError

    def save(self, row: Any, *, change: bool) -> None:
        """Stores a row."""
        raise NotImplementedError

    def delete(self, row: Any) -> None:
        """Deletes a row."""
        raise NotImplementedError


class RowSet:
    """A lazy selection of rows: everything, or those of some primary keys."""

    ordered = totally_ordered = True
    db = "default"

    def __init__(self, source: RowSource, keys: tuple[str, ...] | None = None) -> None:
        self.source = source
        self.model = source.model
        self._keys = keys
        self._read: list[Any] | None = None
        # Where Django wants words for something that is no queryset of its own, it asks that thing.
        self.verbose_name = self.model._meta.verbose_name
        self.verbose_name_plural = self.model._meta.verbose_name_plural

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows())

    def __len__(self) -> int:
        return len(self._rows())

    def __getitem__(self, index: Any) -> Any:
        return self._rows()[index]

    def _rows(self) -> list[Any]:
        if self._read is None:
            keys = self._keys
            self._read = list(self.source.page(Asked()).rows) if keys is None else self.source.many(keys)
        return self._read

    def filter(self, **lookups: Any) -> "RowSet":
        """Those with the primary keys `pk__in`, which is all that the admin asks."""
        if set(lookups) != {"pk__in"}:
            raise TypeError(f"Rows in DynamoDB are chosen by pk__in, not by {', '.join(lookups)}.")
        return RowSet(self.source, tuple(map(str, lookups["pk__in"])))

    def get(self, *, pk: Any) -> Any:
        """The row of a primary key.

        Raises:
            DoesNotExist: there is none.
        """
        found = self.source.many([str(pk)])
        if not found:
            raise self.model.DoesNotExist(f"There is no {self.model._meta.verbose_name} {pk!r}.")  # type: ignore[attr-defined]
        return found[0]

    def none(self) -> "RowSet":
        """No rows."""
        return RowSet(self.source, ())

    def all(self) -> Self:
        """The same rows."""
        return self

    def count(self) -> int:
        """How many rows were read."""
        return len(self)

    def exists(self) -> bool:
        """Whether any row was read."""
        return bool(len(self))

    def using(self, _alias: str | None) -> Self:
        """The same rows: there is one DynamoDB."""
        return self


def read_pages(results: ResultIterator[Any], size: int, requests: int = 5) -> tuple[list[dict[str, Any]], Any]:
    """Raw items until there are `size` of them, or `requests` have been made, and the key where more begin.

    DynamoDB filters after it has read: a page of a filtered scan may be empty and not be the last.
    """
    items: list[dict[str, Any]] = []
    for page in islice(results.page_iter, requests):
        items += page["Items"]
        if len(items) >= size:
            break
    return items, results.page_iter.last_evaluated_key
