"""The numbers of a channel's messages: one counter for each channel, which DynamoDB counts up.

The counter lives beside the messages, under the number 0, and outlives each of them by a day. Where it is gone, so are
they, and the channel goes on from the clock in milliseconds, which is beyond any number it can have reached.
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
    """The next number of a channel. Nobody else gets it: one request, however many writers there are.

    A number whose answer was lost is found again by the counter's last eight marks. Where more writers than that came
    in between it stays unused, and a reader buries it.

    Args:
        expires_at: when the message that gets the number goes.
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
