"""The DynamoDB queries for a roster, as signed JSON.

botocore takes ten times as long for the same bytes, and models thirty times. A broadcast would wait for them.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
"""

import json
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from ws_lambda import aws, clock
from ws_lambda.conf import conf
from ws_lambda.delivery import identity, signing
from ws_lambda.delivery.exchange import Request
from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.delivery.outcomes import Recipient

TIMEOUT: Final = 5.0
"""Seconds for a page."""

_TABLES = {"channel": "memberships", "live": "sessions"}
_HASH_KEYS = {"channel": "channel", "live": "live_shard"}
_TARGETS = "DynamoDB_20120810."
_CONTENT_TYPE = "application/x-amz-json-1.0"


def query(part: KeyRange, limit: int, *, backwards: bool = False) -> dict[str, Any]:
    """The arguments of a Query for the next `limit` recipients of a part.

    The roster of a channel is read consistently: it has everybody who joined before the send. DynamoDB cannot read an
    index consistently. The index of open connections is usually a few milliseconds behind.
    """
    condition = "#partition = :partition"
    values = {":partition": {"S": part.partition}}
    asked: dict[str, Any] = {
        "TableName": conf.TABLE_PREFIX + _TABLES[part.kind],
        "ProjectionExpression": "connection_id, endpoint_url, connected_at",
        "ExpressionAttributeNames": {"#partition": _HASH_KEYS[part.kind]},
        "Limit": limit,
        "ScanIndexForward": not backwards,
    }
    if part.kind == "channel":
        asked["ConsistentRead"] = True
        if part.upto:
            condition += " AND connection_id <= :upto"
            values[":upto"] = {"S": part.upto}
        if part.after:
            asked["ExclusiveStartKey"] = {
                "channel": {"S": part.partition},
                "connection_id": {"S": part.after},
            }
    else:
        asked["IndexName"] = "live"
        if part.after:
            moment, _, connection_id = part.after.partition(":")
            asked["ExclusiveStartKey"] = {
                "live_shard": {"S": part.partition},
                "connected_at": {"N": moment},
                "connection_id": {"S": connection_id},
            }
    return {**asked, "KeyConditionExpression": condition, "ExpressionAttributeValues": values}


def recipients_in(answer: dict[str, Any], endpoints: dict[str, str]) -> list[Recipient]:
    """The recipients in a page. `endpoints` keeps one string for each endpoint instead of one for each member."""
    keep = endpoints.setdefault
    found = []
    for item in answer["Items"]:
        endpoint = item["endpoint_url"]["S"] if "endpoint_url" in item else ""
        found.append(Recipient(item["connection_id"]["S"], keep(endpoint, endpoint), int(item["connected_at"]["N"])))
    return found


class DynamoDBEndpoint:
    """The DynamoDB endpoint that botocore would use, and signed requests to it."""

    def __init__(self) -> None:
        self.url = str(aws.client("dynamodb").meta.endpoint_url).rstrip("/") + "/"
        parts = urlsplit(self.url)
        self._path = signing.canonical_path(parts.path)
        self._host = parts.netloc.rpartition("@")[2]
        self._region = aws.region()
        self._second = 0
        self._stamps: dict[str, signing.Stamp] = {}
        """The stamps of the current second, by target."""

    def request(self, asked: dict[str, Any], timeout: float, context: Any, operation: str = "Query") -> Request:
        """A signed request with a timeout in seconds.

        Raises:
            botocore.exceptions.NoCredentialsError: there is nothing to sign with.
        """
        target = _TARGETS + operation
        second = int(clock.now())
        if second != self._second:
            self._second = second
            self._stamps.clear()
        stamp = self._stamps.get(target) or self._stamps.setdefault(target, self._stamp(target, second))
        body = json.dumps(asked).encode()
        headers = [
            ("Authorization", stamp.authorization(self._path, sha256(body).hexdigest())),
            ("X-Amz-Target", target),
            ("Content-Type", _CONTENT_TYPE),
            *stamp.headers,
        ]
        return Request("POST", self.url, headers, body, timeout, context)

    def _stamp(self, target: str, second: int) -> signing.Stamp:
        return signing.Stamp(
            identity.current(),
            moment=signing.timestamp(second),
            region=self._region,
            service="dynamodb",
            method="POST",
            headers={"host": self._host, "x-amz-target": target, "content-type": _CONTENT_TYPE},
        )
