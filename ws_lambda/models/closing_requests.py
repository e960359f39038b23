"""Requests that close a session and remove it from its channels, in DynamoDB's JSON, because many are made at once."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from ws_lambda import channels, clock, delivery
from ws_lambda.conf import conf
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.sessions import CLOSING, SessionRow


def closing_update(recipient: delivery.Recipient, mark: str, api_id: str = "", *, keep: bool = True) -> dict[str, Any]:
    """The UpdateItem that closes a session. If the recipient has a connect time, a later connection stays open.

    Args:
        mark: by it the request recognises its own work.
        api_id: closes it only if it belongs to this gateway.
        keep: whether a very young connection moves to `CLOSING`, so that its socket is closed later.
    """
    now = clock.utcnow()
    values: dict[str, Any] = {
        ":true": {"BOOL": True},
        ":false": {"BOOL": False},
        ":now": {"N": str(milliseconds(now))},
        ":mark": {"S": mark},
        ":keep": {"N": str(int((now + timedelta(seconds=conf.SESSION_RETENTION_SECONDS)).timestamp()))},
    }
    conditions = ["connected = :true"]
    if api_id:
        conditions.append("api_id = :api")
        values[":api"] = {"S": api_id}
    if recipient.connected_at:
        conditions.append("connected_at = :generation")
        values[":generation"] = {"N": str(recipient.connected_at)}
    place = " REMOVE live_shard"
    if keep and recipient.is_young:
        place = ", live_shard = :closing"
        values[":closing"] = {"S": CLOSING}
    return {
        "TableName": SessionRow.Meta.table_name,
        "Key": {"connection_id": {"S": recipient.connection_id}},
        "UpdateExpression": (
            "SET connected = :false, disconnected_at = :now, expires_at = :keep, closed_by = :mark" + place
        ),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": values,
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def closing_item(recipient: delivery.Recipient, channel_names: Collection[str], mark: str) -> dict[str, Any]:
    """The item of a transaction that closes a session, if it is in exactly these channels."""
    request = closing_update(recipient, mark)
    del request["ReturnValues"]  # transactions do not support it
    if channel_names:
        request["ConditionExpression"] += " AND channels = :channels"
        request["ExpressionAttributeValues"][":channels"] = {"SS": sorted(channel_names)}
    else:
        request["ConditionExpression"] += " AND attribute_not_exists(channels)"
    return {"Update": request}


def leaving_item(channel_name: str, connection_id: str) -> dict[str, Any]:
    """The item of a transaction that removes a connection from a channel's roster."""
    key = _key(channels.shard_key(channel_name, connection_id), connection_id)
    return {"Delete": {"TableName": ChannelMembership.Meta.table_name, "Key": key}}


def leaving_together(keys: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "RequestItems": {ChannelMembership.Meta.table_name: [{"DeleteRequest": {"Key": _key(*one)}} for one in keys]}
    }


def leaving_alone(key: tuple[str, str], recipient: delivery.Recipient) -> dict[str, Any]:
    return {
        "TableName": ChannelMembership.Meta.table_name,
        "Key": _key(*key),
        "ConditionExpression": "connected_at = :generation",
        "ExpressionAttributeValues": {":generation": {"N": str(recipient.connected_at)}},
    }


def _key(channel: str, connection_id: str) -> dict[str, Any]:
    return {"channel": {"S": channel}, "connection_id": {"S": connection_id}}
