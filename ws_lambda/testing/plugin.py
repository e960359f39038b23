"""The pytest plugin: `ws_tables`, `ws_gateway`, `ws_client`, `ws_requests`, `ws_dynamodb_faults`.

pytest loads it wherever the package is installed, so it imports nothing of Django before a fixture is used.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ws_lambda.local.dynamodb_faults import FaultyDynamoDB
    from ws_lambda.testing.client import WebSocketTestClient
    from ws_lambda.testing.gateway import InProcessGateway


@pytest.fixture
def ws_tables() -> Iterator[list[str]]:
    """Empty DynamoDB tables. The value is the same as that of `ws_requests`."""
    from ws_lambda.testing.database import tables

    with tables() as requests:
        yield requests


@pytest.fixture
def ws_requests(ws_tables: list[str]) -> list[str]:
    """The list of DynamoDB operations that were requested so far. Clear it to start counting."""
    return ws_tables


@pytest.fixture
def ws_gateway(ws_tables: list[str]) -> "Iterator[InProcessGateway]":
    """An API Gateway in this process, with empty tables."""
    from ws_lambda.testing.gateway import InProcessGateway

    with InProcessGateway() as gateway:
        yield gateway


@pytest.fixture
def ws_client(ws_gateway: "InProcessGateway") -> "Iterator[Callable[..., WebSocketTestClient]]":
    """Creates connected clients, which disconnect at the end. See `WebSocketTestClient` for the arguments."""
    from ws_lambda.testing.client import WebSocketTestClient

    with ExitStack() as stack:

        def connect(**kwargs: Any) -> "WebSocketTestClient":
            return stack.enter_context(WebSocketTestClient(**kwargs))

        yield connect


@pytest.fixture
def ws_dynamodb_faults(ws_tables: list[str]) -> "Iterator[FaultyDynamoDB]":
    """A proxy in front of DynamoDB. After `proxy.faults = DynamoDBFaults(cut=0.5)`, half of all answers are lost."""
    from ws_lambda.testing.faults import dynamodb_faults

    with dynamodb_faults() as proxy:
        yield proxy
