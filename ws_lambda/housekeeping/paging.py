"""Reading the index of open connections and the memberships, page by page, as DynamoDB's JSON.

Creating a PynamoDB object for each row would take ten times as long, and most rows are skipped.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pynamodb.exceptions import VerboseClientError

from ws_lambda import delivery
from ws_lambda.housekeeping.checkpoints import MEMBERSHIPS
from ws_lambda.housekeeping.round_robin import TURNS
from ws_lambda.models import ChannelMembership, WebSocketSession
from ws_lambda.tables import idempotency
from ws_lambda.tables.shared_connection import connection

PAGE = 500
"""How many rows are read before the time is checked again."""

Item = Mapping[str, Mapping[str, str]]
Key = dict[str, dict[str, str]]

_OPEN_FIELDS = "connection_id, connected_at, endpoint_url, user_id"
_MEMBER_FIELDS = "channel, connection_id, connected_at"

_log = logging.getLogger("ws_lambda")


class Page(NamedTuple):
    """Rows, and the key where the next page begins."""

    rows: list[Item]
    following: Key | None


def open_connections(shard: str, after: Key | None = None) -> Iterator[Page]:
    """One partition of the index of open connections, from the oldest on."""
    request = {
        "TableName": WebSocketSession.Meta.table_name,
        "IndexName": WebSocketSession.live.Meta.index_name,
        "KeyConditionExpression": "live_shard = :shard",
        "ExpressionAttributeValues": {":shard": {"S": shard}},
        "ProjectionExpression": _OPEN_FIELDS,
    }
    return _pages("Query", request, after)


def memberships(step: str, after: Key | None = None) -> Iterator[Page]:
    """All memberships, or the part of them that a step names."""
    part = step.removeprefix(MEMBERSHIPS).strip()
    request = {"TableName": ChannelMembership.Meta.table_name, "ProjectionExpression": _MEMBER_FIELDS}
    return _pages("Scan", request | ({"Segment": int(part), "TotalSegments": TURNS} if part else {}), after)


def recipient(row: Item) -> delivery.Recipient:
    """The recipient for a row of the index."""
    endpoint = row.get("endpoint_url", {}).get("S", "")
    return delivery.Recipient(row["connection_id"]["S"], endpoint, int(row["connected_at"]["N"]))


def _pages(operation: str, request: dict[str, Any], after: Key | None) -> Iterator[Page]:
    while True:
        asked = {**request, "Limit": PAGE} | ({"ExclusiveStartKey": after} if after else {})
        try:
            answer = connection().dispatch(operation, asked)
        except VerboseClientError as error:
            if not after or idempotency.response_code(error) != "ValidationException":
                raise
            _log.warning(
                "DynamoDB does not accept the stored key %r any more, so reading begins again: %s", after, error
            )
            after = None
            continue
        after = answer.get("LastEvaluatedKey")
        yield Page(answer["Items"], after)
        if not after:
            return
