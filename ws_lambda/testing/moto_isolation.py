"""Makes moto's transactions isolated, and cost what they touch.

Before each TransactWriteItems moto copies every table in it, whole, to be able to undo: with some hundred sessions
that is most of a test's time, and an undo also takes away what other threads wrote meanwhile. Here requests take
turns, and a copy of a table copies the items that the transaction names; it shares the rest, which it cannot change.
"""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock


@contextmanager
def taking_turns() -> Iterator[AbstractContextManager[bool]]:
    """One request at a time, for the time of a `with` block; the lock that they wait for."""
    from moto.core.botocore_stubber import BotocoreStubber

    turns, original = threading.RLock(), BotocoreStubber.process_request

    def process_request(stubber: Any, request: Any) -> Any:
        with turns:
            return original(stubber, request)

    with mock.patch.object(BotocoreStubber, "process_request", process_request):
        yield turns


@contextmanager
def frugal_transactions() -> Iterator[None]:
    """Copies of what a transaction touches only, for the time of a `with` block. Needs `taking_turns`."""
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    original = DynamoDBBackend.transact_write_items

    def transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> Any:
        keys = _keys_by_table(transact_items)

        def snapshot(table: Any, memo: dict[int, Any]) -> Any:
            return _snapshot(table, keys.get(table.name, []), memo)

        with mock.patch.object(Table, "__deepcopy__", snapshot, create=True):
            return original(backend, transact_items)

    with mock.patch.object(DynamoDBBackend, "transact_write_items", transact_write_items):
        yield


def _keys_by_table(transact_items: list[dict[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """What each operation writes to: a key, or an item that has its key in it."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for item in transact_items:
        for operation in item.values():
            named = operation.get("Key") or operation.get("Item") or {}
            found.setdefault(str(operation.get("TableName")), []).append(named)
    return found


def _snapshot(table: Any, keys: list[Mapping[str, Any]], memo: dict[int, Any]) -> Any:
    touched = {next(iter(key[table.hash_key_attr].values())) for key in keys if table.hash_key_attr in key}
    twin = copy.copy(table)
    twin.items = copy.copy(table.items)
    for hash_key, held in table.items.items():
        if _value(hash_key) in touched:  # one item, or with a range key all items of the partition
            twin.items[hash_key] = copy.deepcopy(held, memo)
    return twin


def _value(key: Any) -> Any:
    return getattr(key, "value", key)
