"""Counting a message, by the one conditional update that each message costs."""

from collections.abc import Mapping
from typing import Any

from pynamodb.exceptions import VerboseClientError

from ws_lambda import clock
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import InvalidConnectionId, RateLimited
from ws_lambda.models.session import WebSocketSession
from ws_lambda.tables import idempotency
from ws_lambda.tables.shared_connection import condition_failed, connection

REMEMBERED_MINUTES = 5
"""Counters older than this many minutes are removed. The browser client is never silent for longer. Another client that
is leaves a counter behind each time, two dozen at most in the two hours of a connection."""

_UPDATE = (
    "SET previous_seen_at = last_seen_at, last_seen_at = :now, "
    f"message_windows.#w = if_not_exists(message_windows.#w, :none) + :one, {idempotency.MARKING} "
    "REMOVE " + ", ".join(f"message_windows.#p{age}" for age in range(1, REMEMBERED_MINUTES + 1)) + " "
    "ADD request_count :one"
)
_OPEN_HERE = "connected = :true AND api_id = :api"
_BELOW_LIMIT = "(attribute_not_exists(message_windows.#w) OR message_windows.#w < :limit)"
_NONE_AT_ALL = "message_windows.#w < :limit"
"""Never true without a counter, so that a limit of 0 refuses even the first message."""


def touch(event: GatewayEvent, *, messages_per_minute: int) -> WebSocketSession:
    """Counts a message of an open connection and returns the session as it is now.

    The expression is written out because PynamoDB cannot express it: one update starts the counter of a new minute,
    removes old ones and enforces the limit.

    The row keeps marks of the ids of the last eight messages. So a message is counted once even if DynamoDB's answer
    was lost, unless eight other messages of its connection are counted before the request is repeated. An event that is
    sent twice is counted once too.

    Raises:
        InvalidConnectionId: the connection is unknown or closed, or belongs to another gateway. Nothing is counted.
        RateLimited: too many messages in this minute. Nothing is counted.
    """
    mark = idempotency.mark(event.message_id or event.request_id)
    try:
        item = connection().dispatch("UpdateItem", _request(event, mark, messages_per_minute))["Attributes"]
    except VerboseClientError as failed:
        item = idempotency.failed_item(failed)
        if not condition_failed(failed):
            raise
        if not _open_here(item, event):
            raise InvalidConnectionId() from failed
        if idempotency.position(mark, item) is None:
            raise RateLimited("Too many messages: wait a minute, then continue") from failed
    return WebSocketSession.from_raw_data(item)


def _request(event: GatewayEvent, mark: str, messages_per_minute: int) -> dict[str, Any]:
    """The arguments of the UpdateItem."""
    now = clock.now()
    minute = int(now // 60)
    return {
        "TableName": WebSocketSession.Meta.table_name,
        "Key": {"connection_id": {"S": event.connection_id}},
        "UpdateExpression": _UPDATE,
        "ConditionExpression": " AND ".join(
            (_OPEN_HERE, idempotency.NOT_MARKED, _BELOW_LIMIT if messages_per_minute > 0 else _NONE_AT_ALL)
        ),
        "ExpressionAttributeNames": {"#w": str(minute)}
        | {f"#p{age}": str(minute - age) for age in range(1, REMEMBERED_MINUTES + 1)},
        "ExpressionAttributeValues": {
            ":now": {"N": str(int(now * 1000))},
            ":none": {"N": "0"},
            ":one": {"N": "1"},
            ":true": {"BOOL": True},
            ":api": {"S": event.api_id},
            ":limit": {"N": str(messages_per_minute)},
        }
        | idempotency.values(mark),
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _open_here(item: Mapping[str, Any], event: GatewayEvent) -> bool:
    """Whether an item is an open connection of the event's gateway."""
    return bool(item.get("connected", {}).get("BOOL")) and item.get("api_id", {}).get("S") == event.api_id
