"""The handlers that Zappa would call if its own entry point were used: they fail closed."""

import subprocess
import sys

import pytest
from zappa import websocket

from tests.golden import golden
from ws_lambda import zappa_entry
from ws_lambda.testing import LambdaContext

AUTHORIZER = {"type": "REQUEST", "methodArn": "arn:aws:execute-api:eu-west-1:1:abc/dev/$connect"}


def test_an_authorizer_event_is_no_connect() -> None:
    event = {**golden("connect"), **AUTHORIZER}
    for route in ("$connect", "$default", "$disconnect"):
        with pytest.raises(PermissionError, match="Unauthorized"):
            websocket.get_handler(route)(event, LambdaContext())


def test_every_route_is_registered_so_that_zappa_never_says_yes_by_default() -> None:
    websocket.validate_registry()
    assert {websocket.get_handler(route) for route in ("$connect", "$default", "$disconnect", "chat")} == {
        zappa_entry._websocket_event
    }


def test_a_handler_that_does_not_load_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ws_lambda.lambda_handler", None)
    assert websocket.get_handler("$connect")(golden("connect"), LambdaContext())["statusCode"] == 500


def test_importing_the_entry_needs_nothing_that_could_be_missing() -> None:
    script = "import sys, ws_lambda.zappa_entry; print(sorted({'django', 'pynamodb', 'pycurl'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
