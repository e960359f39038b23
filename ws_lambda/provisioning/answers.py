"""Helpers for reading answers of AWS."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from ws_lambda import aws


def code(error: ClientError) -> str:
    """The name of an error, such as `NotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def missing(error: ClientError) -> bool:
    """Whether the error says that something does not exist."""
    return code(error).startswith(("NotFound", "ResourceNotFound", "NoSuch"))


def items(operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """Every item of a list operation of API Gateway."""
    return listed(getattr(aws.client("apigatewayv2"), operation), **arguments)


def listed(call: Callable[..., dict[str, Any]], **arguments: Any) -> Iterator[dict[str, Any]]:
    """Every item that a list method of any `apigatewayv2` client returns, page after page."""
    token: dict[str, str] = {}
    while True:
        page = call(**arguments, **token)
        yield from page.get("Items", ())
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def found(operation: str, **arguments: Any) -> dict[str, Any] | None:
    """The answer of a Get operation of API Gateway; None if the thing does not exist."""
    try:
        answer: dict[str, Any] = getattr(aws.client("apigatewayv2"), operation)(**arguments)
    except ClientError as error:
        if missing(error):
            return None
        raise
    return answer
