"""Golden events: one JSON file for each case, with its source named inside."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "events"


def golden(name: str, **context: Any) -> dict[str, Any]:
    """The event of a case, with some of its `requestContext` changed."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())["event"]
    if context:
        event["requestContext"] |= context
    return event
