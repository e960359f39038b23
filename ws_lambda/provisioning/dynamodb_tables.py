"""The tables as the models describe them: made, looked at, deleted, without CloudFormation.

`serverless_config/tables.yaml` says the same for CloudFormation; a test holds the two equal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pynamodb.attributes import TTLAttribute

from ws_lambda import aws
from ws_lambda.models import all_tables
from ws_lambda.retrying import Retry
from ws_lambda.tables.table import Table

_NEW_TABLE = Retry(base=4.0, cap=4.0, within=300.0)
"""For some seconds after it is made, a table has no backups, and its recovery cannot be switched on."""


@dataclass(frozen=True, kw_only=True)
class TableState:
    """What DynamoDB has of one table."""

    name: str
    status: str
    """DynamoDB's own word, or "missing"."""

    items: int = 0
    """As DynamoDB counts them, every six hours or so."""

    size: int = 0
    """Bytes, counted likewise."""

    wrong: tuple[str, ...] = ()
    """How it differs from the model, in sentences."""

    @property
    def right(self) -> bool:
        """Whether it is there and as the model has it."""
        return self.status == "ACTIVE" and not self.wrong


def expected() -> list[type[Table]]:
    """One model for each table; several may live in one."""
    return list({table.Meta.table_name: table for table in all_tables()}.values())


def described(table: type[Table]) -> dict[str, Any]:
    """What CreateTable is asked for, with the attribute that the TTL looks at."""
    schema = table._get_schema()
    indexes = schema.get("global_secondary_indexes", [])
    return {
        "TableName": table.Meta.table_name,
        "AttributeDefinitions": schema["attribute_definitions"],
        "KeySchema": _hash_first(schema["key_schema"]),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": one["index_name"],
                "KeySchema": _hash_first(one["key_schema"]),
                "Projection": one["projection"],
            }
            for one in indexes
        ],
        "TimeToLive": ttl_attribute(table),
    }


def ttl_attribute(table: type[Table]) -> str | None:
    """The attribute by which DynamoDB deletes items."""
    found = [one.attr_name for one in table.get_attributes().values() if isinstance(one, TTLAttribute)]
    return found[0] if found else None


def create() -> Iterator[tuple[str, bool]]:
    """Makes the tables that are missing, and switches on TTL and point-in-time recovery where either is off.

    A run that was broken off is so completed by the next one. Yields (name, whether made).
    """
    for table in expected():
        made = not table.exists()
        if made:
            table.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        if not _forgets(table):
            table.update_ttl(ignore_update_ttl_errors=False)
        if not _is_recoverable(table):
            _make_recoverable(table)
        yield table.Meta.table_name, made


def delete() -> Iterator[tuple[str, bool]]:
    """Deletes the tables with everything in them; yields (name, whether it was there)."""
    for table in expected():
        there = table.exists()
        if there:
            table.delete_table()
        yield table.Meta.table_name, there


def status() -> Iterator[TableState]:
    """Each table as it is."""
    for table in expected():
        try:
            found = aws.client("dynamodb").describe_table(TableName=table.Meta.table_name)["Table"]
        except aws.client("dynamodb").exceptions.ResourceNotFoundException:
            yield TableState(name=table.Meta.table_name, status="missing")
            continue
        yield TableState(
            name=table.Meta.table_name,
            status=found["TableStatus"],
            items=found.get("ItemCount", 0),
            size=found.get("TableSizeBytes", 0),
            wrong=tuple(_differences(table, found)),
        )


def _differences(table: type[Table], found: dict[str, Any]) -> Iterator[str]:
    wanted = described(table)
    if _keys(found["KeySchema"]) != _keys(wanted["KeySchema"]):
        yield f"its key is {_keys(found['KeySchema'])}, not {_keys(wanted['KeySchema'])}: delete it and create it anew"
    there = {one["IndexName"]: one for one in found.get("GlobalSecondaryIndexes", [])}
    for index in wanted["GlobalSecondaryIndexes"]:
        name = index["IndexName"]
        if name not in there:
            yield f"the index {name} is missing: apply serverless_config/tables.yaml"
        elif _index(there[name]) != _index(index):
            yield f"the index {name} differs from the model: delete it, then apply serverless_config/tables.yaml"
    if not _forgets(table):
        yield f"its TTL does not look at {ttl_attribute(table)}: ws_tables create, or apply tables.yaml"
    if not _is_recoverable(table):
        yield "point-in-time recovery is off: ws_tables create, or apply tables.yaml"


def _forgets(table: type[Table]) -> bool:
    """Whether DynamoDB deletes what the model says has expired."""
    attribute = ttl_attribute(table)
    client = aws.client("dynamodb")
    ttl = client.describe_time_to_live(TableName=table.Meta.table_name)["TimeToLiveDescription"]
    on = ttl["TimeToLiveStatus"] in ("ENABLED", "ENABLING") and ttl.get("AttributeName") == attribute
    return on or attribute is None


def _is_recoverable(table: type[Table]) -> bool:
    client = aws.client("dynamodb")
    if client.meta.endpoint_url.startswith("http:"):
        return True  # an emulator's table, whose data is for trying things; some emulators know no backups
    backups = client.describe_continuous_backups(TableName=table.Meta.table_name)["ContinuousBackupsDescription"]
    return bool(backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED")


def _make_recoverable(table: type[Table]) -> None:
    client = aws.client("dynamodb")
    wanted = {"PointInTimeRecoveryEnabled": True}
    name = table.Meta.table_name
    switch = partial(client.update_continuous_backups, TableName=name, PointInTimeRecoverySpecification=wanted)
    _NEW_TABLE.call(switch, client.exceptions.ContinuousBackupsUnavailableException)


def _index(found: dict[str, Any]) -> tuple[Any, ...]:
    projection = found["Projection"]
    return _keys(found["KeySchema"]), projection["ProjectionType"], sorted(projection.get("NonKeyAttributes", []))


def _hash_first(schema: Iterable[Any]) -> list[Any]:
    return sorted(schema, key=lambda one: one["KeyType"])


def _keys(schema: list[dict[str, str]]) -> list[str]:
    return [one["AttributeName"] for one in _hash_first(schema)]
