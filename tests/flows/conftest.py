"""An API Gateway, and a look at what DynamoDB is asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.far_side import FarSide
from ws_lambda.testing import connect_event, invoke, mint_token


@pytest.fixture
def there() -> Iterator[FarSide]:
    """API Gateway knows every connection."""
    with FarSide().serving() as side:
        yield side


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests to DynamoDB so far, by whichever client of botocore's."""
    operations: list[str] = []
    make = BaseClient._make_api_call

    def record(self: Any, operation: str, request: Any) -> Any:
        operations.append(operation)
        return make(self, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return operations


@pytest.fixture
def c1(ws_requests: list[str], user: Any) -> str:
    """Connected session C1 of user u."""
    assert invoke(connect_event(token=mint_token(user), channel="general"))["statusCode"] == 200
    ws_requests.clear()
    return "C1="


def status(response: Any) -> int:
    """The status of the function's answer."""
    code: int = response["statusCode"]
    return code


def refusals(ip: str = "203.0.113.9") -> int:
    """How many refusals of an address are counted."""
    from ws_lambda.models import RateLimit

    return sum(row.hits for row in RateLimit.query(f"refused#{ip}"))
