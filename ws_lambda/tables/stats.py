"""Figures for the admin's overview."""

from datetime import timedelta

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda.tables.table import Table, TableMeta

KEPT = timedelta(days=2)
"""How long a row is kept."""

SHARDS = ("0", "1", "2", "3")
"""Partitions, so that a thousand processes do not all write to one item."""

COUNTED = ("connects", "messages", "refusals", "disconnects")
"""The attributes that count."""


class Stats(Table):
    """What happened in one minute, as counted by some of the processes."""

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
