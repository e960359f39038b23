"""Where housekeeping left off."""

import json
from typing import Any

from ws_lambda.tables.rate_limits import Cursor


def read(name: str) -> dict[str, Any]:
    """The position that was left; empty where there is none."""
    row = Cursor.of(name)
    try:
        row.refresh(consistent_read=True)
    except Cursor.DoesNotExist:
        return {}
    return dict(json.loads(row.position))


def write(name: str, position: dict[str, Any]) -> None:
    """Leaves a position, for a day at most: after that everything is looked at anew."""
    row = Cursor.of(name)
    row.position = json.dumps(position)
    row.save()


def clear(name: str) -> None:
    """Forgets the position: the next walk begins anew, unless this one leaves another."""
    Cursor.of(name).delete()
