"""Sequence numbers of a channel's messages, from an atomic counter for each channel.

The counter is stored with the messages, under the number 0, and is kept a day longer. If it is gone, so are the
messages, and the channel continues with the time in milliseconds, which is higher than any number it can have reached.
"""

from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import VerboseClientError

from ws_lambda.tables import idempotency
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.messages import LastNumber
from ws_lambda.tables.shared_connection import condition_failed, connection

_UPDATE = f"SET last_number = if_not_exists(last_number, :start) + :one, expires_at = :expires, {idempotency.MARKING}"


def take_number(channel_name: str, now: datetime, expires_at: datetime) -> int:
    """Takes the next number of a channel: one request, however many writers there are. Nobody else gets it.

    If the answer was lost, the number is found again by the counter's last eight marks. If more writers came in
    between, the number stays unused, and a reader abandons it.

    Args:
        expires_at: when the message with this number expires.
    """
    mark = idempotency.mark()
    kept = int((expires_at + timedelta(days=1)).timestamp())
    request: dict[str, Any] = {
        "TableName": LastNumber.Meta.table_name,
        "Key": {"channel_name": {"S": channel_name}, "sequence": {"N": "0"}},
        "UpdateExpression": _UPDATE,
        "ConditionExpression": idempotency.NOT_MARKED,
        "ExpressionAttributeValues": {
            ":start": {"N": str(milliseconds(now) - 1)},
            ":one": {"N": "1"},
            ":expires": {"N": str(kept)},
        }
        | idempotency.values(mark),
        "ReturnValues": "ALL_NEW",
    }
    try:
        return int(connection().dispatch("UpdateItem", request)["Attributes"]["last_number"]["N"])
    except VerboseClientError as failed:
        item = idempotency.failed_item(failed)
        later = idempotency.position(mark, item)
        if later is None or not condition_failed(failed):
            raise
        return int(item["last_number"]["N"]) - later
