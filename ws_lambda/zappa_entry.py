"""The `websocket_handler_module` of `zappa_settings.json`. Because of it, Zappa creates the WebSocket API.

The handlers that it registers run only if a project uses Zappa's own entry point instead of ours. They fail closed
there: Zappa answers a `$connect` with 200 if no handler is registered, or if this module cannot be imported. So this
module imports nothing of ours at the top.
"""

import logging
from typing import Any

_log = logging.getLogger("ws_lambda")


def _websocket_event(event: dict[str, Any], context: Any) -> Any:
    """Passes a WebSocket event to our handler, and refuses it if that cannot be imported."""
    try:
        from ws_lambda import lambda_handler
    except Exception:
        _log.exception("The handler cannot be imported, so the event is refused")
        return {"statusCode": 500}
    return lambda_handler.handler(event, context)


def _register() -> None:
    from zappa import websocket

    for route in (websocket.on_connect, websocket.on_message, websocket.on_disconnect):
        route(_websocket_event)


try:
    _register()
except ImportError:
    # Neither a function that Zappa has packaged nor a deploy, but the tests of a project, for example.
    _log.debug("Zappa is not installed")
