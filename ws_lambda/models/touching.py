"""Counting a message: the one conditional update that each message costs."""

from typing import Any

from pynamodb.exceptions import VerboseClientError

from ws_lambda import clock
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import InvalidConnectionId, RateLimited
from ws_lambda.models.base import condition_failed, connection
from ws_lambda.models.sessions import WebSocketSession

REMEMBERED_MINUTES = 5
"""Counters of this age are removed. The browser client is never silent for longer; who is leaves one behind each time,
two dozen at most in the two hours that a connection lasts."""

_UPDATE = (
    "SET previous_seen_at = last_seen_at, last_seen_at = :now, "
    "message_windows.#w = if_not_exists(message_windows.#w, :none) + :one "
    "REMOVE " + ", ".join(f"message_windows.#p{age}" for age in range(1, REMEMBERED_MINUTES + 1)) + " "
    "ADD request_count :one"
)
_OPEN_HERE = "connected = :true AND api_id = :api"
_BELOW_LIMIT = "(attribute_not_exists(message_windows.#w) OR message_windows.#w < :limit)"
_NONE_AT_ALL = "message_windows.#w < :limit"
"""Never true of a counter that is not there: a limit of 0 lets not even the first one through."""


def touch(event: GatewayEvent, *, messages_per_minute: int) -> WebSocketSession:
    """Counts a message of an open connection and returns the session as it is now.

    The expression is written out because it goes beyond what PynamoDB's can say: a new minute's counter starts,
    and old ones go, in the same update that enforces the limit.

    Raises:
        InvalidConnectionId: the connection is unknown, closed, or another gateway's. Nothing is counted.
        RateLimited: too many messages in this minute. Nothing is counted.
    """
    now = clock.now()
    minute = int(now // 60)
    request: dict[str, Any] = {
        "TableName": WebSocketSession.Meta.table_name,
        "Key": {"connection_id": {"S": event.connection_id}},
        "UpdateExpression": _UPDATE,
        "ConditionExpression": f"{_OPEN_HERE} AND {_BELOW_LIMIT if messages_per_minute > 0 else _NONE_AT_ALL}",
        "ExpressionAttributeNames": {"#w": str(minute)}
        | {f"#p{age}": str(minute - age) for age in range(1, REMEMBERED_MINUTES + 1)},
        "ExpressionAttributeValues": {
            ":now": {"N": str(int(now * 1000))},
            ":none": {"N": "0"},
            ":one": {"N": "1"},
            ":true": {"BOOL": True},
            ":api": {"S": event.api_id},
            ":limit": {"N": str(messages_per_minute)},
        },
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        answer = connection().dispatch("UpdateItem", request)
    except VerboseClientError as failed:
        raise _refusal(failed, event) from failed
    return WebSocketSession.from_raw_data(answer["Attributes"])


def _refusal(failed: VerboseClientError, event: GatewayEvent) -> Exception:
    """What a failed update means, told by the item that failed the condition."""
    if not condition_failed(failed):
        return failed
    # PynamoDB wraps botocore's error and keeps only part of the answer; the cause has the item.
    item = getattr(failed.__cause__, "response", {}).get("Item") or {}
    open_here = item.get("connected", {}).get("BOOL") and item.get("api_id", {}).get("S") == event.api_id
    return RateLimited("Too many messages: wait a minute, then go on") if open_here else InvalidConnectionId()
