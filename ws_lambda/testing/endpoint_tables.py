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
from botocore.exceptions import EndpointConnectionError, HTTPClientError

from ws_lambda import aws
from ws_lambda.conf import _Lazy
from ws_lambda.models import all_tables
from ws_lambda.retrying import Retry
from ws_lambda.tables.table import Table
from ws_lambda.testing.dynamodb_clients import REGION, clients

BATCH = 25
"""The most items that one BatchWriteItem deletes.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

_RETRY = Retry(base=0.05, attempts=10)


@contextmanager
def tables_at_endpoint() -> Iterator[list[str]]:
    """Provides empty tables with a prefix of this process. The value is the list of requests so far."""
    read = _Lazy.__getattr__
    prefix = _prefix(os.environ["AWS_ENDPOINT_URL_DYNAMODB"])

    def prefixed(lazy: _Lazy, name: str) -> Any:
        # The prefix is not a setting, because a test that overrides WS_LAMBDA would lose its tables.
        value = read(lazy, name)
        return prefix + value if name == "TABLE_PREFIX" else value

    with mock.patch.object(_Lazy, "__getattr__", prefixed), clients() as requests:
        make(all_tables())
        requests.clear()
        try:
            yield requests
        finally:
            empty(all_tables())


def make(models: Iterable[type[Table]]) -> None:
    """Creates the tables that do not exist."""
    there = _names(aws.client("dynamodb"))
    for model in models:
        if model.Meta.table_name not in there:
            model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)


def empty(models: Iterable[type[Table]]) -> None:
    """Deletes all items of the tables."""
    dynamodb = aws.client("dynamodb")
    for name in {model.Meta.table_name for model in models}:
        keys = [one["AttributeName"] for one in dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]]
        names = {f"#{number}": key for number, key in enumerate(keys)}
        pages = dynamodb.get_paginator("scan").paginate(
            TableName=name, ConsistentRead=True, ProjectionExpression=",".join(names), ExpressionAttributeNames=names
        )
        items = [item for page in pages for item in page["Items"]]
        for start in range(0, len(items), BATCH):
            deletes = [{"DeleteRequest": {"Key": item}} for item in items[start : start + BATCH]]
            _write(dynamodb, {name: deletes})


def _write(dynamodb: Any, left: dict[str, Any]) -> None:
    """Makes a batch of writes, and repeats those that a busy endpoint has left undone."""
    attempts = _RETRY.begin()
    while left := dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}:
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
        dynamodb: Any = aws.session().create_client("dynamodb", REGION, endpoint_url=endpoint, config=once)
        for name in _names(dynamodb):
            if name.startswith(prefix):
                dynamodb.delete_table(TableName=name)


def _names(dynamodb: Any) -> set[str]:
    return {name for page in dynamodb.get_paginator("list_tables").paginate() for name in page["TableNames"]}
