"""AWS_PROXY: the function's answer, read as API Gateway reads it."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ws_lambda.local.api_definition import Answer, Event
from ws_lambda.local.errors import IntegrationError


@dataclass(frozen=True, slots=True)
class LambdaIntegration:
    """Invokes one function."""

    invoke: Callable[[Event], Awaitable[object]]
    """Runs the function and returns what it returned. Raises IntegrationError if the function raised."""

    async def call(self, event: Event) -> Answer:
        """Invokes the function with the event."""
        return read(await self.invoke(event))


def read(returned: object) -> Answer:
    """A function's return value as an answer.

    Raises:
        IntegrationError: it does not have the form of a proxy answer.
    """
    if not isinstance(returned, dict) or "statusCode" not in returned:
        raise IntegrationError("Malformed Lambda proxy response: no statusCode")
    try:
        status = int(returned["statusCode"])
    except (TypeError, ValueError) as wrong:
        raise IntegrationError("Malformed Lambda proxy response: statusCode is not a number") from wrong
    headers = {str(name): str(value) for name, value in (returned.get("headers") or {}).items()}
    return Answer(status=status, headers=headers, body=_body(returned))


def _body(returned: dict[str, object]) -> str:
    body = returned.get("body")
    if body is None:
        return ""
    if not isinstance(body, str):
        body = json.dumps(body)
    if returned.get("isBase64Encoded"):
        return base64.b64decode(body).decode("utf-8", "replace")
    return body
