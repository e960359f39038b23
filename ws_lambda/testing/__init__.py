"""The test kit for WebSocket views. It runs the gateway of `manage.py ws_local` without sockets and without sleeping.

    def test_hello(ws_client):
        ws = ws_client(user=user, channel="general")
        ws.send_json({"action": "hello"})
        assert ws.receive_json() == {"hello": "alice"}

With pytest, the fixtures of `plugin` are available once the package is installed: `ws_client`, `ws_gateway`,
`ws_tables`, `ws_requests` and `ws_dynamodb_faults`. With Django's test runner, derive from `WebSocketTestMixin`.
`invoke(connect_event())` calls the function itself. See docs/testing.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ws_lambda.local.dynamodb_faults import DynamoDBFaults
    from ws_lambda.local.lambda_context import LambdaContext
    from ws_lambda.testing.client import ConnectRefused, WebSocketTestClient
    from ws_lambda.testing.database import tables
    from ws_lambda.testing.faults import dynamodb_faults
    from ws_lambda.testing.gateway import InProcessGateway
    from ws_lambda.testing.gateway_events import connect_event, disconnect_event, message_event
    from ws_lambda.testing.invocation import decode_answer, invoke
    from ws_lambda.testing.minting import mint_token
    from ws_lambda.testing.mixin import WebSocketTestMixin

__all__ = [
    "ConnectRefused",
    "DynamoDBFaults",
    "InProcessGateway",
    "LambdaContext",
    "WebSocketTestClient",
    "WebSocketTestMixin",
    "connect_event",
    "decode_answer",
    "disconnect_event",
    "dynamodb_faults",
    "invoke",
    "message_event",
    "mint_token",
    "tables",
]

_HOMES = {
    "ConnectRefused": "testing.client",
    "DynamoDBFaults": "local.dynamodb_faults",
    "InProcessGateway": "testing.gateway",
    "LambdaContext": "local.lambda_context",
    "WebSocketTestClient": "testing.client",
    "WebSocketTestMixin": "testing.mixin",
    "connect_event": "testing.gateway_events",
    "decode_answer": "testing.invocation",
    "disconnect_event": "testing.gateway_events",
    "dynamodb_faults": "testing.faults",
    "invoke": "testing.invocation",
    "message_event": "testing.gateway_events",
    "mint_token": "testing.minting",
    "tables": "testing.database",
}


def __getattr__(name: str) -> Any:
    # Imported late, because pytest imports this package with its plugin in every project that has it installed.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ws_lambda.{_HOMES[name]}"), name)
