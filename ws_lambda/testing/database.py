"""DynamoDB for a test: moto in this process, or any endpoint that `AWS_ENDPOINT_URL_DYNAMODB` names."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from ws_lambda.testing.dynamodb_clients import REGION, clients


@contextmanager
def tables() -> Iterator[list[str]]:
    """Provides empty tables for the time of a `with` block: those of the package and of installed apps.

    The tables are in memory, and no request leaves the process. If `AWS_ENDPOINT_URL_DYNAMODB` is set (to DynamoDB
    Local or dynoxide), the tables are at that endpoint. Their names have a random prefix. They are created once,
    emptied after each block, and deleted when the process ends.

    The value is the list of the DynamoDB operations that were requested so far, such as `"GetItem"`.
    """
    from ws_lambda.testing.endpoint_tables import tables_at_endpoint

    environment = {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    place = tables_at_endpoint() if os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") else _tables_in_memory()
    with mock.patch.dict(os.environ, {**environment, **os.environ}), place as requests:
        yield requests


@contextmanager
def in_memory() -> Iterator[list[str]]:
    """Provides a DynamoDB without tables, in this process. The value is the list of requests so far."""
    from ws_lambda.local.moto_expressions import quick_expressions
    from ws_lambda.local.moto_transactions import frugal_transactions
    from ws_lambda.testing.moto_speed import quick_mock, taking_turns, without_http

    quick = quick_mock(), taking_turns(), frugal_transactions(), quick_expressions(), without_http()
    with ExitStack() as stack:
        for part in quick:
            stack.enter_context(part)
        yield stack.enter_context(clients())


@contextmanager
def _tables_in_memory() -> Iterator[list[str]]:
    from ws_lambda.models import all_tables
    from ws_lambda.testing import moto_tables

    with in_memory() as requests:
        moto_tables.create(all_tables())
        requests.clear()
        yield requests
