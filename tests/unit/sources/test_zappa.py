"""Which events go to Zappa's handler, and what they may run. docs/contract.md 48."""

from typing import Any

import pytest
from zappa import handler as zappa_handler

from ws_lambda.sources import zappa


def test_a_function_that_raises_type_error_runs_once() -> None:
    seen: list[Any] = []

    def fails(event: Any, context: Any) -> None:
        seen.append(event)
        raise TypeError("of its own")

    zappa._handler()
    with pytest.raises(TypeError, match="of its own"):
        zappa_handler.LambdaHandler.run_function(fails, {"a": 1}, None)
    assert seen == [{"a": 1}]
