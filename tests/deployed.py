"""A function that writes logs and metrics as on Lambda, and what it has written."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ws_lambda import telemetry


@contextmanager
def deployed() -> Iterator[None]:
    """As in a function: the root logger is telemetry's, and writes to what is standard output now."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "demo-dev")
        telemetry.start()
        try:
            yield
        finally:
            telemetry.stop()
            root.handlers[:] = handlers
            root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Every line so far, all of them JSON."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
