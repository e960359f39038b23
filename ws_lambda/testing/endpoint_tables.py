"""Tables for tests at an endpoint. They are created once in a process, and emptied after each test."""

import atexit
import os
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.util import Finalize
from typing import Any
from unittest import mock

from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)
from django.core.exceptions import ImproperlyConfigured

from ws_lambda import aws
from ws_lambda.conf import _Lazy
from ws_lambda.models import all_tables
from ws_lambda.retrying import Retry
from ws_lambda.tables import shared_connection
from ws_lambda.tables.table import Table
from ws_lambda.testing.dynamodb_clients import clients
from ws_lambda.testing.faults import upstreams
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
    """Provides tables with a prefix of this process, and empties them at the end of a `with` block.

    Raises:
        ImproperlyConfigured: a table's name does not have the prefix, so that it may not be a test's own table; or the
            package's clients do not use the endpoint.
    """
    named, process = os.environ["AWS_ENDPOINT_URL_DYNAMODB"], os.getpid()
    _check_clients(named)
    endpoint = upstreams.get(named, named)
    read = _Lazy.__getattr__
    prefix = _prefix(process, endpoint, aws.region(), _credentials())

    def prefixed(lazy: _Lazy, name: str) -> Any:
        # The prefix is not a setting, because a test that overrides WS_LAMBDA would lose its tables.
        value = read(lazy, name)
        return prefix + value if name == "TABLE_PREFIX" else value

    # The requests begin before the block, because a test may have changed what they need when it ends.
    patched = mock.patch.object(_Lazy, "__getattr__", prefixed)
    with patched, requests_to(endpoint) as ask:
        # So do the names: a test that changes them must not have other tables emptied.
        own = own_tables(models, prefix)
        keys = {name: _key_attributes(model) for name, model in own.items()}
        make(own, ask)
        try:
            yield
        finally:
            if os.getpid() == process:  # the child of a fork leaves the block too
                empty(keys, ask)


def own_tables(models: Iterable[type[Table]], prefix: str) -> dict[str, type[Table]]:
    """The tables by name. Classes may share a table.

    Raises:
        ImproperlyConfigured: a name does not have the prefix.
    """
    named: dict[str, type[Table]] = {}
    for model in models:
        name = model.Meta.table_name
        if not name.startswith(prefix):
            raise ImproperlyConfigured(
                f"{model.__qualname__} is the table {name!r}, which is not a table of this test run, and would be "
                "emptied. Name it in `class Meta(metaclass=TableMeta)` with `name` instead of `table_name`, so that "
                "the name follows TABLE_PREFIX. Set TABLE_PREFIX in settings.WS_LAMBDA and not on `conf`."
            )
        named.setdefault(name, model)
    return named


def make(own: Mapping[str, type[Table]], ask: Ask) -> None:
    """Creates the tables that do not exist."""
    there = set(_names(ask))
    for name, model in own.items():
        if name not in there:
            model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)


def empty(keys: Mapping[str, Sequence[str]], ask: Ask) -> None:
    """Deletes all items of the tables.

    Args:
        keys: the key attributes of each table, by the table's name.
    """
    found = [(name, key) for name, attributes in keys.items() for key in _keys(ask, name, attributes)]
    for start in range(0, len(found), BATCH):
        deletes: dict[str, Any] = {}
        for name, key in found[start : start + BATCH]:
            deletes.setdefault(name, []).append({"DeleteRequest": {"Key": key}})
        _write(ask, deletes)


def _check_clients(endpoint: str) -> None:
    for client in (aws.client("dynamodb"), shared_connection.connection().client):
        if client.meta.endpoint_url.rstrip("/") != endpoint.rstrip("/"):
            raise ImproperlyConfigured(
                f"AWS_ENDPOINT_URL_DYNAMODB is {endpoint}, but the package's client uses {client.meta.endpoint_url}. "
                "Unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, and `ignore_configured_endpoint_urls` in the AWS profile."
            )


def _key_attributes(model: type[Table]) -> list[str]:
    return [one.attr_name for one in model.get_attributes().values() if one.is_hash_key or one.is_range_key]


def _keys(ask: Ask, table: str, attributes: Sequence[str]) -> Iterator[Any]:
    """The keys of all items. A table that a test has deleted has none, and is created again for the next one."""
    names = {f"#{number}": key for number, key in enumerate(attributes)}
    wanted: dict[str, Any] = {
        "TableName": table,
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


def _credentials() -> ReadOnlyCredentials:
    found = aws.session().get_credentials()
    if not found:
        raise NoCredentialsError()
    return found.get_frozen_credentials()


@cache
def _prefix(_process: int, endpoint: str, region: str, credentials: ReadOnlyCredentials) -> str:
    """The prefix of a process's tables in one place. They are deleted when the process ends.

    DynamoDB Local and moto have separate tables for each region, and DynamoDB Local for each access key.
    """
    prefix = f"test_{uuid.uuid4().hex[:12]}_"
    # Workers of multiprocessing end without atexit, but they run their finalizers. A finalizer runs once, and only in
    # the process that has made it.
    atexit.register(Finalize(None, _delete_all, (endpoint, region, credentials, prefix), exitpriority=0))
    return prefix


def _delete_all(endpoint: str, region: str, credentials: ReadOnlyCredentials, prefix: str) -> None:
    client = aws.session().create_client(
        "dynamodb",
        region,
        endpoint_url=endpoint,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(
            connect_timeout=aws.CONNECT_SECONDS, read_timeout=aws.READ_SECONDS, retries={"total_max_attempts": 1}
        ),
    )
    # The server may have ended before this process, and its tables with it.
    with suppress(EndpointConnectionError, HTTPClientError):
        ask = requests_of(client)
        for name in [name for name in _names(ask) if name.startswith(prefix)]:
            try:
                ask("DeleteTable", TableName=name)
            except (BotoCoreError, ClientError) as failed:
                sys.stderr.write(f"The test table {name} stays at {endpoint}: {failed}\n")


def _names(ask: Ask) -> Iterator[str]:
    page = ask("ListTables")
    yield from page["TableNames"]
    while last := page.get("LastEvaluatedTableName"):
        page = ask("ListTables", ExclusiveStartTableName=last)
        yield from page["TableNames"]
