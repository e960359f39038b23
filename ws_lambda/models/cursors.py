"""Where housekeeping left off."""

import json
from datetime import timedelta
from typing import Any

from pynamodb.attributes import TTLAttribute, UnicodeAttribute

from ws_lambda import clock
from ws_lambda.models.base import Table, TableMeta


class Cursor(Table):
    """A position in a long walk through the tables. It lives in the table of counters, which forgets by itself."""

    class Meta(metaclass=TableMeta):
        name = "rate_limits"

    scope = UnicodeAttribute(hash_key=True)
    """`cursor#<name>`; no counter is named so."""

    window = UnicodeAttribute(range_key=True)
    position = UnicodeAttribute(default="{}")
    expires_at = TTLAttribute()

    @classmethod
    def read(cls, name: str) -> dict[str, Any]:
        """The position that was left; empty where there is none."""
        try:
            return dict(json.loads(cls.get(f"cursor#{name}", "-", consistent_read=True).position))
        except cls.DoesNotExist:
            return {}

    @classmethod
    def write(cls, name: str, position: dict[str, Any]) -> None:
        """Leaves a position, for a day at most: after that everything is looked at anew."""
        row = cls(f"cursor#{name}", "-", position=json.dumps(position), expires_at=clock.utcnow() + timedelta(days=1))
        row.save()

    @classmethod
    def clear(cls, name: str) -> None:
        """Forgets the position: the next walk begins anew, unless this one leaves another."""
        cls(f"cursor#{name}", "-").delete()
