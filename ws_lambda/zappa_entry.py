"""Where this package and Zappa meet: the only module that imports Zappa on Lambda.

`lambda_handler` hands over here what is no WebSocket event. Named as `websocket_handler_module`, this module also
makes Zappa create the WebSocket API; the handlers that it registers are reached only where somebody has put
Zappa's own entry point back, and fail closed there: Zappa answers a `$connect` 200 when nothing is registered,
and when the module that should have registered it does not import. Hence nothing is imported here at the top.
"""

import importlib
import inspect
import logging
from collections.abc import Callable
from typing import Any

PRUNE = "ws_lambda.housekeeping.prune"

_log = logging.getLogger("ws_lambda")


def handle(event: dict[str, Any], context: Any) -> Any:
    """Answers an event that is no WebSocket event: HTTP requests, schedules, commands.

    Raises:
        PermissionError: for `raw_command`, which would execute any code that it carries.
    """
    if "raw_command" in event:
        raise PermissionError("raw_command is refused: put the code into a management command and use zappa manage.")
    if _is_authorizer_event(event):
        # Zappa would take it for a CONNECT and run the handler. API Gateway makes 401 of exactly this word.
        raise PermissionError("Unauthorized")
    if _scheduled(event) == PRUNE:
        from ws_lambda.housekeeping import prune

        return prune(event, context)
    answer = _zappa().lambda_handler(event, context)
    if isinstance(answer, dict) and answer.get("body", "") is None:
        answer["body"] = ""  # a redirect has none, and API Gateway's format wants a string
    return answer


def _is_authorizer_event(event: dict[str, Any]) -> bool:
    return event.get("type") == "REQUEST" and "methodArn" in event


def _scheduled(event: dict[str, Any]) -> str:
    """The function that a schedule is for: Zappa makes it the last part of the rule's name."""
    if event.get("detail-type") != "Scheduled Event" or not event.get("resources"):
        return ""
    return str(event["resources"][0]).rpartition("/")[2].rpartition("-")[2]


def _zappa() -> Any:
    """Zappa's handler module; importing it costs some 200 ms, which no WebSocket event pays."""
    from zappa import handler

    handler.LambdaHandler.run_function = staticmethod(run_once)
    return handler


def run_once(function: Callable[..., Any], event: Any, context: Any) -> Any:
    """Calls a function with as many of (event, context) as it takes.

    In place of Zappa's `run_function`, which tries and takes any TypeError for a wrong number of arguments, so
    that a function which raises one runs two or three times.
    """
    arguments = [event, context]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function(*arguments)
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return function(*arguments)
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return function(*arguments[: len(positional)])


def _websocket_event(event: dict[str, Any], context: Any) -> Any:
    """Passes a WebSocket event on, and refuses it if that does not even load."""
    if _is_authorizer_event(event):
        raise PermissionError("Unauthorized")
    try:
        # By name, since imports run the other way: this is for a function whose entry is Zappa's own.
        door = importlib.import_module("ws_lambda.lambda_handler")
    except Exception:
        _log.exception("The handler does not load: the event is refused")
        return {"statusCode": 500}
    return door.handler(event, context)


def _register() -> None:
    from zappa import websocket

    for route in (websocket.on_connect, websocket.on_message, websocket.on_disconnect):
        route(_websocket_event)


try:
    _register()
except ImportError:
    # Not a deployed function, and no deploy either: the tests of a project, say.
    _log.debug("Zappa is not installed")
