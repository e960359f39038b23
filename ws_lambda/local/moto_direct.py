"""Calls moto's DynamoDB as a function: most of the time of a request goes into reading headers and writing JSON.

Used by `ws_local` and by the test kit.
"""

import functools
from typing import Any

from botocore import xform_name

OPERATIONS = frozenset(
    {
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
        "TransactWriteItems", "UpdateItem",
    }
)  # fmt: skip
"""The operations that can be called like this."""


def has_binary(body: bytes) -> bool:
    """Whether a request may contain binary values, which moto decodes in its HTTP layer."""
    return b'"B"' in body or b'"BS"' in body


def ask(operation: str, asked: dict[str, Any], region: str) -> dict[str, Any]:
    """What moto answers, as JSON has it, except that binary values are bytes. It may share parts with moto's tables.

    Raises:
        Exception: one of moto's own, if the operation fails. Nothing is changed then.
    """
    from moto.dynamodb.responses import DynamoHandler

    handler = DynamoHandler()
    handler.headers, handler.querystring, handler.region = {}, {}, region
    handler.current_account = handler.get_current_account()
    handler.body = handler.params = asked
    result: dict[str, Any] = getattr(handler, xform_name(operation))().result
    known = _members(operation)
    return {name: value for name, value in result.items() if name in known and value is not None}


@functools.cache
def _members(operation: str) -> frozenset[str]:
    """The part of moto's result that is in an answer of the service."""
    from moto.core.utils import get_service_model

    return frozenset(get_service_model("dynamodb").operation_model(operation).output_shape.members)
