"""What Zappa loads as `websocket_handler_module`: it makes Zappa create the WebSocket API.

The handlers that are registered here are reached only where somebody has put Zappa's own entry point back, and they
fail closed there: Zappa answers a `$connect` 200 when nothing is registered, and when the module that should have
registered it does not import. So nothing is imported here at the top.
"""

import logging
from typing import Any

_log = logging.getLogger("ws_lambda")


def _websocket_event(event: dict[str, Any], context: Any) -> Any:
    """Passes a WebSocket event on to the door, and refuses it if the door does not even load."""
    try:
        from ws_lambda import lambda_handler
    except Exception:
        _log.exception("The handler does not load: the event is refused")
        return {"statusCode": 500}
    return lambda_handler.handler(event, context)


def _register() -> None:
    from zappa import websocket

    for route in (websocket.on_connect, websocket.on_message, websocket.on_disconnect):
        route(_websocket_event)


try:
    _register()
except ImportError:
    # Not a deployed function, and no deploy either: the tests of a project, say.
    _log.debug("Zappa is not installed")
