"""The tree at the top of the file is the tree of the classes."""

import inspect
import re

import pytest

from ws_lambda import exceptions
from ws_lambda.exceptions import Refused, WsLambdaError
from ws_lambda.views import WebSocketView

CLASSES = [one for one in vars(exceptions).values() if inspect.isclass(one) and issubclass(one, WsLambdaError)]
REFUSALS = [one for one in CLASSES if issubclass(one, Refused)]


def drawn() -> dict[str, tuple[str, str]]:
    """Name → (name of its parent, status) as the docstring draws it."""
    found: dict[str, tuple[str, str]] = {}
    above: list[str] = []
    for line in (exceptions.__doc__ or "").splitlines():
        if named := re.match(r"([│ ]*(?:[├└]── )?)(\w+)(?:\s+(\d{3}))?", line):
            depth = len(named[1]) // 4
            above = [*above[:depth], named[2]]
            found[named[2]] = (above[-2] if depth else "", named[3] or "")
    return found


def test_every_class_is_drawn_under_its_parent() -> None:
    tree = {name: parent for name, (parent, _status) in drawn().items() if name != "Every"}
    assert tree == {one.__name__: "" if one is WsLambdaError else one.__base__.__name__ for one in CLASSES}


def test_every_refusal_is_drawn_with_its_status() -> None:
    statuses = {name: status for name, (_parent, status) in drawn().items() if status}
    assert statuses == {one.__name__: str(one.status) for one in REFUSALS if one is not Refused}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_has_a_method_of_the_view_and_a_message(refusal: type[Refused]) -> None:
    assert callable(getattr(WebSocketView, refusal.hook))
    assert refusal().message == (refusal.__doc__ or "").partition("\n")[0]
    assert refusal("said otherwise").message == "said otherwise"
