"""Commands to the function, through its door."""

import pytest

from tests.wire import Context
from ws_lambda.lambda_handler import handler


def test_raw_commands_are_refused() -> None:
    with pytest.raises(PermissionError, match="raw_command is refused"):
        handler({"raw_command": "raise SystemExit"}, Context())
