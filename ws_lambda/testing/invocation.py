"""Calls the function as Lambda does."""

import base64
import json
from typing import Any

from ws_lambda.local.lambda_context import LambdaContext


def invoke(event: Any, context: Any = None, *, handler: Any = None) -> Any:
    """Calls the function with an event and returns its answer.

    Both are converted to JSON and back, because on AWS a function neither gets nor returns Python objects.

    Args:
        event: an event, such as one of `connect_event`.
        context: Lambda's context object. Default: a new one with 30 seconds left.
        handler: the function. Default: the package's Lambda handler.

    Raises:
        Exception: whatever the function raises.
    """
    if handler is None:
        from ws_lambda.lambda_handler import handler
    answer = handler(json.loads(json.dumps(event)), context or LambdaContext("test"))
    return json.loads(json.dumps(answer))


def decode_answer(answer: Any) -> tuple[int, Any]:
    """Returns the status and the decoded JSON body of a proxy response. The body may be in base64.

    Raises:
        ValueError: the body is not JSON.
    """
    body = answer["body"]
    return answer["statusCode"], json.loads(base64.b64decode(body) if answer.get("isBase64Encoded") else body)
