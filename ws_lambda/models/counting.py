"""Counters that count each event once, even if the answer to the first attempt was lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.exceptions import VerboseClientError

from ws_lambda.tables import idempotency
from ws_lambda.tables.shared_connection import condition_failed, connection
from ws_lambda.tables.table import Table


def count(
    table: type[Table], key: Mapping[str, str], figures: Mapping[str, int], expires_at: datetime
) -> dict[str, Any]:
    """Adds numbers to a row's attributes in one atomic update, and returns the new item.

    Args:
        key: the values of the row's key attributes, which are strings.
        figures: what to add to each attribute, by its name in DynamoDB.
    """
    mark = idempotency.mark()
    names = {f"#{at}": name for at, name in enumerate(figures)}
    numbers = {f":{at}": {"N": str(number)} for at, number in enumerate(figures.values())}
    added = ", ".join(f"#{at} :{at}" for at in range(len(figures)))
    request: dict[str, Any] = {
        "TableName": table.Meta.table_name,
        "Key": {name: {"S": value} for name, value in key.items()},
        "UpdateExpression": f"SET {idempotency.MARKING}, expires_at = :expires ADD {added}",
        "ConditionExpression": idempotency.NOT_MARKED,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":expires": {"N": str(int(expires_at.timestamp()))}}
        | numbers
        | idempotency.values(mark),
        "ReturnValues": "ALL_NEW",
    }
    try:
        return dict(connection().dispatch("UpdateItem", request)["Attributes"])
    except VerboseClientError as failed:
        if not condition_failed(failed):
            raise
        return idempotency.failed_item(failed)  # the first attempt has counted it; others may have counted since
