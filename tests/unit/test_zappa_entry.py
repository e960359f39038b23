"""What Zappa leaves open is closed here."""

import subprocess
import sys
from typing import Any

import pytest
from zappa import handler as zappa_handler
from zappa import websocket

from tests.golden import golden
from tests.wire import Context
from ws_lambda import zappa_entry
from ws_lambda.lambda_handler import handler

AUTHORIZER = {"type": "REQUEST", "methodArn": "arn:aws:execute-api:eu-west-1:1:abc/dev/$connect"}


def test_raw_commands_are_refused() -> None:
    with pytest.raises(PermissionError, match="raw_command is refused"):
        handler({"raw_command": "raise SystemExit"}, Context())


def test_an_authorizer_event_is_no_connect() -> None:
    event = {**golden("connect"), **AUTHORIZER}
    with pytest.raises(PermissionError, match="Unauthorized"):
        zappa_entry.handle(event, Context())
    for route in ("$connect", "$default", "$disconnect"):
        with pytest.raises(PermissionError, match="Unauthorized"):
            websocket.get_handler(route)(event, Context())


def test_every_route_is_registered_so_that_zappa_never_says_yes_by_default() -> None:
    websocket.validate_registry()
    assert {websocket.get_handler(route) for route in ("$connect", "$default", "$disconnect", "chat")} == {
        zappa_entry._websocket_event
    }


def test_a_handler_that_does_not_load_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ws_lambda.lambda_handler", None)
    assert websocket.get_handler("$connect")(golden("connect"), Context())["statusCode"] == 500


def test_importing_the_entry_needs_nothing_that_could_be_missing() -> None:
    script = "import sys, ws_lambda.zappa_entry; print(sorted({'django', 'pynamodb', 'pycurl'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_function_that_raises_type_error_runs_once() -> None:
    seen: list[Any] = []

    def fails(event: Any, context: Any) -> None:
        seen.append(event)
        raise TypeError("of its own")

    zappa_entry._zappa()
    with pytest.raises(TypeError, match="of its own"):
        zappa_handler.LambdaHandler.run_function(fails, {"a": 1}, None)
    assert seen == [{"a": 1}]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda: (), ()),
        (lambda event: (event,), ("e",)),
        (lambda event, context: (event, context), ("e", "c")),
        (lambda *args: args, ("e", "c")),
        (lambda event, *, key=1: (event, key), ("e", 1)),
        (lambda event, context, more=3: (event, context, more), ("e", "c", 3)),
    ],
)
def test_functions_get_as_much_as_they_take(function: Any, expected: tuple[Any, ...]) -> None:
    assert zappa_entry.run_once(function, "e", "c") == expected


def test_a_redirect_has_a_body_that_is_a_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zappa_handler, "lambda_handler", lambda event, context: {"statusCode": 302, "body": None})
    assert zappa_entry.handle({"version": "2.0"}, Context())["body"] == ""
