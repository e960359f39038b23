"""The numbers of a channel's messages: one counter for each channel, which DynamoDB counts up.

The counter lives beside the messages, under the number 0, and outlives each of them by a day. Where it is gone, so are
they, and the channel goes on from the clock in milliseconds, which is beyond any number it can have reached.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import VerboseClientError

from ws_lambda.models import own_work
from ws_lambda.models.attributes import milliseconds
from ws_lambda.models.base import condition_failed, connection

if TYPE_CHECKING:
    from ws_lambda.models.messages import ChannelMessage

_UPDATE = f"SET last_number = if_not_exists(last_number, :start) + :one, expires_at = :expires, {own_work.MARKING}"


def take_number(table: "type[ChannelMessage]", channel_name: str, now: datetime, expires_at: datetime) -> int:
    """The next number of a channel. Nobody else gets it: one request, however many writers there are.

    A number whose answer was lost is found again by the counter's last eight marks. Where more writers than that came
    in between it stays unused, and a reader buries it.

    Args:
        expires_at: when the message that gets the number goes.
    """
    mark = own_work.mark()
    kept = int((expires_at + timedelta(days=1)).timestamp())
    request: dict[str, Any] = {
        "TableName": table.Meta.table_name,
        "Key": {"channel_name": {"S": channel_name}, "sequence": {"N": "0"}},
        "UpdateExpression": _UPDATE,
        "ConditionExpression": own_work.NOT_MARKED,
        "ExpressionAttributeValues": {
            ":start": {"N": str(milliseconds(now) - 1)},
            ":one": {"N": "1"},
            ":expires": {"N": str(kept)},
        }
        | own_work.values(mark),
        "ReturnValues": "ALL_NEW",
    }
    try:
        return int(connection().dispatch("UpdateItem", request)["Attributes"]["last_number"]["N"])
    except VerboseClientError as failed:
        item = own_work.failed_item(failed)
        later = own_work.position(mark, item)
        if later is None or not condition_failed(failed):
            raise
        return int(item["last_number"]["N"]) - later
