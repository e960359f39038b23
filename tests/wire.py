"""Drives the real Lambda handler with the events that API Gateway would send."""

import json
import secrets
from typing import Any

from tests import backends
from tests.golden import golden
from ws_lambda import clock
from ws_lambda.lambda_handler import handler
from ws_lambda.models import WebSocketToken

HOST = "abc123.execute-api.eu-west-1.amazonaws.com"
ORIGIN = "https://www.example.com"


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "test"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def send(event: Any) -> dict[str, Any]:
    """The function's answer to an event."""
    return handler(event, Context())


def mint(user: Any, session_key: str = "login-1", **more: Any) -> str:
    """A token as the token view would mint it for a login of the user."""
    return WebSocketToken.mint(
        user_id=str(user.pk),
        auth_backend=backends.PATH,
        auth_hash=user.get_session_auth_hash(),
        session_key=session_key,
        **more,
    )


def connect(
    connection_id: str = "C1=", *, token: str = "", query: dict[str, str] | None = None,
    headers: dict[str, str | None] | None = None, **context: Any,
) -> dict[str, Any]:  # fmt: skip
    """Sends `$connect`. A header of None is left out; `Host` and `Origin` are right unless told otherwise."""
    event = golden("connect", connectionId=connection_id, **{"connectedAt": int(clock.now() * 1000), **context})
    sent = {"Host": HOST, "Origin": ORIGIN, **(headers or {})}
    event["headers"] = {name: value for name, value in sent.items() if value is not None}
    asked = {**(query or {}), **({"ws_token": token} if token else {})}
    del event["queryStringParameters"], event["multiValueQueryStringParameters"]
    if asked:
        event["queryStringParameters"] = asked
        event["multiValueQueryStringParameters"] = {name: [value] for name, value in asked.items()}
    return send(event)


def message(body: Any, connection_id: str = "C1=", **context: Any) -> dict[str, Any]:
    """Sends a message with an id of its own: bytes and strings as they are, anything else as JSON."""
    event = golden("message", **{"connectionId": connection_id, "messageId": secrets.token_hex(8), **context})
    event["body"] = body if isinstance(body, str) else json.dumps(body)
    return send(event)


def disconnect(connection_id: str = "C1=", **context: Any) -> dict[str, Any]:
    """Sends `$disconnect`."""
    return send(golden("disconnect_client", connectionId=connection_id, **context))


def answer(response: dict[str, Any]) -> tuple[int, Any]:
    """Status and decoded body."""
    return response["statusCode"], json.loads(response["body"])
