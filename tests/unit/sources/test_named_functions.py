"""Functions that an event may name, and how they are called."""

import sys
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


def test_annotations_may_name_what_only_a_type_checker_imports() -> None:
    lazily = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"
    module: dict[str, Any] = {}
    exec(f"{lazily}def job(event: Event, context: LambdaContext) -> None: seen.append((event, context))", module)  # noqa: S102
    module["seen"] = []
    named_functions.call_once(module["job"], "e", "c")
    assert module["seen"] == [("e", "c")]


def test_only_named_functions_run(settings: Any) -> None:
    with pytest.raises(PermissionError, match=r"asks for the function 'os.getcwd', which the deployment has not named"):
        named_functions.run("os.getcwd", {}, None)
    settings.WS_LAMBDA = {"EVENT_FUNCTIONS": ["os.getpid"]}
    assert isinstance(named_functions.run("os.getpid", {}, None), int)


def test_our_own_functions_are_named() -> None:
    assert {"ws_lambda.housekeeping.prune", "ws_lambda.fanout.handle"} <= named_functions.named()
