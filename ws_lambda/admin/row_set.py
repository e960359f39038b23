"""The part of a queryset that the Django admin uses, for rows in DynamoDB.

A `RowSource` reads one table. It returns pages and never a total, because counting would read the whole table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, Self

from django.core import signing
from django.db import models
from pynamodb.pagination import ResultIterator

PAGE_SIZE = 50
"""The rows of a page. One BatchGetItem reads their details."""


MAX_KEY_BYTES = 2048
"""DynamoDB refuses longer partition keys.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One page of rows, and where the next one begins."""

    rows: Sequence[models.Model]
    cursor: str = ""
    """The cursor of the next page; "" on the last page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The request of a change list."""

    filters: Mapping[str, str] = field(default_factory=dict)
    search: str = ""
    cursor: str = ""
    size: int = PAGE_SIZE

    @property
    def after(self) -> Any:
        """The continuation key; None for the first page, and for a cursor that was made for other filters."""
        try:
            return signing.loads(self.cursor, salt=self._salt) if self.cursor else None
        except signing.BadSignature:
            return None

    def cursor_of(self, key: Any) -> str:
        """A continuation key as a signed query parameter, so that clients cannot make up keys."""
        return signing.dumps(key, salt=self._salt, compress=True) if key else ""

    @property
    def _salt(self) -> str:
        return f"ws_lambda.admin {sorted(self.filters.items())}"


class RowSource:
    """Reads and changes the rows of one admin page."""

    model: ClassVar[type[models.Model]]
    """The admin model of the rows."""

    def page(self, asked: Asked) -> Page:
        """One page, read with a bounded number of requests."""
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
    """A lazy selection of rows: all of them, or those with some primary keys."""

    ordered = totally_ordered = True
    db = "default"

    def __init__(self, source: RowSource, keys: tuple[str, ...] | None = None) -> None:
        self.source = source
        self.model = source.model
        self._keys = keys
        self._read: list[Any] | None = None
        # Django reads these from anything that is not its own queryset.
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
        """The rows with the primary keys `pk__in`, the only lookup that the admin uses."""
        if set(lookups) != {"pk__in"}:
            raise TypeError(f"Rows in DynamoDB can be selected by pk__in, not by {', '.join(lookups)}.")
        return RowSet(self.source, tuple(map(str, lookups["pk__in"])))

    def get(self, *, pk: Any) -> Any:
        """The row with a primary key.

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
        """The number of rows that were read."""
        return len(self)

    def exists(self) -> bool:
        """Whether any row was read."""
        return bool(len(self))

    def using(self, _alias: str | None) -> Self:
        """The same rows: there is only one DynamoDB."""
        return self


def read_pages(results: ResultIterator[Any], size: int, requests: int = 5) -> tuple[list[dict[str, Any]], Any]:
    """Reads raw items until there are `size` of them, or `requests` requests were made.

    Also returns the key from which to continue. DynamoDB filters after reading, so a page of a filtered scan can be
    empty without being the last.
    """
    items: list[dict[str, Any]] = []
    for page in islice(results.page_iter, requests):
        items += page["Items"]
        if len(items) >= size:
            break
    return items, results.page_iter.last_evaluated_key
