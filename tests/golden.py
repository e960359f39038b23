"""Golden events: one JSON file for each case, with its source named inside."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "events"


def golden(name: str, **context: Any) -> dict[str, Any]:
    """The event of a case, with some of its `requestContext` changed."""
    event: dict[str, Any] = json.loads(_text(name))["event"]
    if context:
        event["requestContext"] |= context
    return event


@cache
def _text(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text()
