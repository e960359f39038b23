"""The test kit for WebSocket views. It runs the gateway of `manage.py ws_local` without sockets and without sleeping.

    def test_hello(ws_client):
        ws = ws_client(user=user, channel="general")
        ws.send_json({"action": "hello"})
        assert ws.receive_json() == {"hello": "alice"}

With pytest, the fixtures of `plugin` are available once the package is installed: `ws_client`, `ws_gateway`,
`ws_tables`, `ws_requests` and `ws_dynamodb_faults`. With Django's test runner, derive from `WebSocketTestMixin`. See
docs/testing.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ws_lambda.local.dynamodb_faults import DynamoDBFaults
    from ws_lambda.testing.client import ConnectRefused, WebSocketTestClient
    from ws_lambda.testing.database import tables
    from ws_lambda.testing.faults import dynamodb_faults
    from ws_lambda.testing.gateway import InProcessGateway
    from ws_lambda.testing.mixin import WebSocketTestMixin

__all__ = [
    "ConnectRefused",
    "DynamoDBFaults",
    "InProcessGateway",
    "WebSocketTestClient",
    "WebSocketTestMixin",
    "dynamodb_faults",
    "tables",
]

_HOMES = {
    "ConnectRefused": "testing.client",
    "DynamoDBFaults": "local.dynamodb_faults",
    "InProcessGateway": "testing.gateway",
    "WebSocketTestClient": "testing.client",
    "WebSocketTestMixin": "testing.mixin",
    "dynamodb_faults": "testing.faults",
    "tables": "testing.database",
}


def __getattr__(name: str) -> Any:
    # Imported late, because pytest imports this package with its plugin in every project that has it installed.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ws_lambda.{_HOMES[name]}"), name)
