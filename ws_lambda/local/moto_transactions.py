"""Makes the cost of a transaction on moto depend only on what it touches.

Before each TransactWriteItems, moto copies every table in it, so that it can undo the transaction. With a thousand
sessions, that is 70 ms of work and more than a gigabyte of memory. Here only the items that a transaction names are
copied and restored. `ws_local` and the test kit use this.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

Key = Mapping[str, Any]


@contextmanager
def frugal_transactions() -> Iterator[None]:
    """Applies the change for the time of a `with` block, in which requests must take turns."""
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    original = DynamoDBBackend.transact_write_items

    def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> Any:
        keys = _keys_by_table(transact_items)
        with mock.patch.object(
            Table, "__deepcopy__", lambda table, _memo: Before(table, keys[table.name]), create=True
        ):
            try:
                return original(backend, transact_items)
            finally:
                _undo(backend.tables)

    with mock.patch.object(DynamoDBBackend, "transact_write_items", transact_write_items):
        yield


class Before:
    """What moto keeps instead of a copy of a table: the items with some keys, as they were."""

    def __init__(self, table: Any, keys: list[Key]) -> None:
        self._table = table
        self._items = {key: copy.deepcopy(self._look_up(key)) for key in map(self._typed, keys) if key[0]}

    def put_back(self) -> Any:
        """Restores the items; returns the table."""
        for (hash_key, range_key), item in self._items.items():
            if item is None:
                self._table.delete_item(hash_key, range_key)
            elif range_key:
                self._table.items[hash_key][range_key] = item
            else:
                self._table.items[hash_key] = item
        return self._table

    def _typed(self, key: Key) -> tuple[Any, Any]:
        """The key in the form of moto's dictionaries; None for a part that an invalid request leaves out."""
        from moto.dynamodb.models.dynamo_type import DynamoType

        def part(name: str | None) -> Any:
            return DynamoType(key[name]) if name is not None and name in key else None

        return part(self._table.hash_key_attr), part(self._table.range_key_attr)

    def _look_up(self, key: tuple[Any, Any]) -> Any:
        hash_key, range_key = key
        if self._table.has_range_key:
            return self._table.items.get(hash_key, {}).get(range_key)
        return self._table.items.get(hash_key)


def _keys_by_table(transact_items: list[dict[str, Any]]) -> dict[str, list[Key]]:
    """The keys that the operations write to, by table. An item contains its key."""
    found: dict[str, list[Key]] = {}
    for item in transact_items:
        for operation in item.values():
            named = operation.get("Key") or operation.get("Item") or {}
            found.setdefault(str(operation.get("TableName")), []).append(named)
    return found


def _undo(tables: dict[str, Any]) -> None:
    """Restores the tables. After a failed transaction, moto has put its copies in their place."""
    for name, table in tables.items():
        if isinstance(table, Before):
            tables[name] = table.put_back()
