"""How far runs of housekeeping have come."""

import json
from typing import Any

from ws_lambda.tables.rate_limits import Cursor


def read(name: str) -> dict[str, Any]:
    """The stored position; empty if there is none."""
    row = Cursor.of(name)
    try:
        row.refresh(consistent_read=True)
    except Cursor.DoesNotExist:
        return {}
    return dict(json.loads(row.position))


def write(name: str, position: dict[str, Any]) -> None:
    """Stores a position for a day. After that, a run begins from the start."""
    row = Cursor.of(name)
    row.position = json.dumps(position)
    row.save()


def clear(name: str) -> None:
    """Removes the position. The next run begins from the start."""
    Cursor.of(name).delete()
