"""An API Gateway, and a look at what DynamoDB is asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.far_side import FarSide


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
