"""Tables for tests at an endpoint. They are created once in a process, and emptied after each test."""

import atexit
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from unittest import mock

from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from ws_lambda import aws
from ws_lambda.conf import _Lazy
from ws_lambda.models import all_tables
from ws_lambda.retrying import Retry
from ws_lambda.tables.table import Table
from ws_lambda.testing.dynamodb_clients import REGION, clients
from ws_lambda.testing.quick_requests import Ask, requests_of, requests_to

BATCH = 25
"""The most items that one BatchWriteItem deletes.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

_RETRY = Retry(base=0.05, attempts=10)


@contextmanager
def tables_at_endpoint() -> Iterator[list[str]]:
    """Provides all tables, empty. The value is the list of requests so far."""
    with clients() as requests, emptied(all_tables()):
        requests.clear()
        yield requests


@contextmanager
def emptied(models: Iterable[type[Table]]) -> Iterator[None]:
    """Provides tables with a prefix of this process, and empties them at the end of a `with` block."""
    models = set(models)
    read = _Lazy.__getattr__
    prefix = _prefix(os.environ["AWS_ENDPOINT_URL_DYNAMODB"])

    def prefixed(lazy: _Lazy, name: str) -> Any:
        # The prefix is not a setting, because a test that overrides WS_LAMBDA would lose its tables.
        value = read(lazy, name)
        return prefix + value if name == "TABLE_PREFIX" else value

    # The requests begin before the block, because a test may have changed what they need when it ends.
    patched = mock.patch.object(_Lazy, "__getattr__", prefixed)
    with patched, requests_to(os.environ["AWS_ENDPOINT_URL_DYNAMODB"]) as ask:
        make(models, ask)
        try:
            yield
        finally:
            empty(models, ask)


def make(models: Iterable[type[Table]], ask: Ask) -> None:
    """Creates the tables that do not exist."""
    there = set(_names(ask))
    for model in models:
        if model.Meta.table_name not in there:
            model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)


def empty(models: Iterable[type[Table]], ask: Ask) -> None:
    """Deletes all items of the tables."""
    found = [(model.Meta.table_name, key) for model in models for key in _keys(ask, model)]
    for start in range(0, len(found), BATCH):
        deletes: dict[str, Any] = {}
        for name, key in found[start : start + BATCH]:
            deletes.setdefault(name, []).append({"DeleteRequest": {"Key": key}})
        _write(ask, deletes)


def _keys(ask: Ask, model: type[Table]) -> Iterator[Any]:
    """The keys of all items. A table that a test has deleted has none, and is created again for the next one."""
    attributes = model.get_attributes().values()
    keys = [one.attr_name for one in attributes if one.is_hash_key or one.is_range_key]
    names = {f"#{number}": key for number, key in enumerate(keys)}
    wanted: dict[str, Any] = {
        "TableName": model.Meta.table_name,
        "ConsistentRead": True,
        "ProjectionExpression": ",".join(names),
        "ExpressionAttributeNames": names,
    }
    while True:
        try:
            page = ask("Scan", **wanted)
        except ClientError as refused:
            if refused.response["Error"]["Code"] != aws.NO_TABLE:
                raise
            return
        yield from page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        wanted["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _write(ask: Ask, left: dict[str, Any]) -> None:
    """Makes a batch of writes, and repeats those that a busy endpoint has left undone."""
    attempts = _RETRY.begin()
    while left := ask("BatchWriteItem", RequestItems=left).get("UnprocessedItems") or {}:
        if not attempts.wait():
            raise RuntimeError(f"The endpoint is too busy to empty {', '.join(left)} after a test")


@cache
def _prefix(endpoint: str) -> str:
    """The prefix of this process's tables at an endpoint. They are deleted when the process ends."""
    prefix = f"test_{uuid.uuid4().hex[:12]}_"
    atexit.register(_delete_all, endpoint, prefix)
    return prefix


def _delete_all(endpoint: str, prefix: str) -> None:
    once = Config(retries={"total_max_attempts": 1})
    key = mock.patch.dict(os.environ, {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"})
    # The server may have ended before this process, and its tables with it.
    with key, suppress(EndpointConnectionError, HTTPClientError):
        ask = requests_of(aws.session().create_client("dynamodb", REGION, endpoint_url=endpoint, config=once))
        for name in list(_names(ask)):
            if name.startswith(prefix):
                ask("DeleteTable", TableName=name)


def _names(ask: Ask) -> Iterator[str]:
    page = ask("ListTables")
    yield from page["TableNames"]
    while last := page.get("LastEvaluatedTableName"):
        page = ask("ListTables", ExclusiveStartTableName=last)
        yield from page["TableNames"]
