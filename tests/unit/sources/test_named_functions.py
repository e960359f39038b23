"""Functions that an event may name, and how they are called."""

from typing import Any

import pytest

from ws_lambda.sources import named_functions


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
    assert named_functions.call_once(function, "e", "c") == expected


def test_only_named_functions_run(settings: Any) -> None:
    with pytest.raises(PermissionError, match=r"asks for the function 'os.getcwd', which the deployment has not named"):
        named_functions.run("os.getcwd", {}, None)
    settings.WS_LAMBDA = {"EVENT_FUNCTIONS": ["os.getpid"]}
    assert isinstance(named_functions.run("os.getpid", {}, None), int)


def test_our_own_functions_are_named() -> None:
    assert {"ws_lambda.housekeeping.prune", "ws_lambda.fanout.handle"} <= named_functions.named()
