"""DynamoDB for a test: moto in this process, or any endpoint that `AWS_ENDPOINT_URL_DYNAMODB` names."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from ws_lambda import process_state
from ws_lambda.conf import _Lazy
from ws_lambda.process_state import Occasion

REGION = "eu-west-1"


@contextmanager
def tables() -> Iterator[None]:
    """Empty tables for the time of a `with` block: the package's, and those of installed apps.

    With an endpoint in `AWS_ENDPOINT_URL_DYNAMODB` (DynamoDB Local, dynoxide), tables of a random prefix are made
    there, and deleted at the end. Without, everything is in memory, and no request leaves the process.
    """
    environment = {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    place = _at_endpoint() if os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") else _in_memory()
    with mock.patch.dict(os.environ, {**environment, **os.environ}), place:
        yield


@contextmanager
def _in_memory() -> Iterator[None]:
    from moto import mock_aws

    from ws_lambda.local.moto_expressions import quick_expressions
    from ws_lambda.local.moto_transactions import frugal_transactions
    from ws_lambda.models import all_tables
    from ws_lambda.testing import moto_tables
    from ws_lambda.testing.moto_speed import taking_turns, without_http

    with mock_aws(), taking_turns() as turns, frugal_transactions(), quick_expressions(), without_http(turns):
        forget()
        moto_tables.create(all_tables())
        yield
    forget()


@contextmanager
def _at_endpoint() -> Iterator[None]:
    prefix = f"test_{uuid.uuid4().hex[:12]}_"
    read = _Lazy.__getattr__

    def prefixed(lazy: _Lazy, name: str) -> Any:
        # Not by a setting: a test that overrides WS_LAMBDA would lose its tables.
        value = read(lazy, name)
        return prefix + value if name == "TABLE_PREFIX" else value

    from ws_lambda.models import all_tables

    with mock.patch.object(_Lazy, "__getattr__", prefixed):
        forget()
        for table in all_tables():
            table.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        try:
            yield
        finally:
            for table in all_tables():
                table.delete_table()
            forget()


def forget() -> None:
    """Drops what the process keeps of a DynamoDB that may be another one now, and of what has happened in it."""
    process_state.forget(Occasion.TEST)
