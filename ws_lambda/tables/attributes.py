"""Attribute types that PynamoDB lacks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pynamodb.attributes import Attribute, JSONAttribute
from pynamodb.constants import NUMBER

from ws_lambda import json_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """An aware datetime as milliseconds since the epoch, which is how API Gateway tells time."""
    return (moment - EPOCH) // MILLISECOND


def from_milliseconds(value: int) -> datetime:
    """The aware datetime of a number of milliseconds since the epoch."""
    return EPOCH + value * MILLISECOND


class MillisecondsAttribute(Attribute[datetime]):
    """An aware datetime, stored as a number of milliseconds: short, sortable and readable without PynamoDB."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str(milliseconds(value))

    def deserialize(self, value: str) -> datetime:
        return from_milliseconds(int(value))


class PayloadAttribute(JSONAttribute):
    """JSON as `send_message` writes it: dates, decimals and UUIDs by Django's encoder, and no NaN."""

    def serialize(self, value: Any) -> str:
        return json_text.dumps(value)
