"""Counts for the admin's overview."""

from datetime import timedelta

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda.tables.table import Table, TableMeta

KEPT = timedelta(days=2)
"""How long a row is kept."""

SHARDS = ("0", "1", "2", "3")
"""Partitions, so that a thousand processes do not write to the same item."""

COUNTED = ("connects", "messages", "refusals", "disconnects")
"""The names of the counters."""


class Stats(Table):
    """What some of the processes counted in one minute."""

    class Meta(metaclass=TableMeta):
        name = "stats"

    shard = UnicodeAttribute(hash_key=True)
    minute = UnicodeAttribute(range_key=True)
    """`2026-11-22T22:17`, in UTC."""

    connects = NumberAttribute(default=0)
    messages = NumberAttribute(default=0)
    refusals = NumberAttribute(default=0)
    disconnects = NumberAttribute(default=0)
    expires_at = TTLAttribute()
