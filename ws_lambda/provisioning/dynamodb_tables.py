"""Creates, checks and deletes the DynamoDB tables as the rows describe them, without CloudFormation.

`serverless_config/tables.yaml` describes the same tables for CloudFormation. A test holds the two equal.
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
"""For some seconds after a table is created, DynamoDB refuses to switch on its recovery."""


@dataclass(frozen=True, kw_only=True)
class TableState:
    """One table as DynamoDB has it."""

    name: str
    status: str
    """DynamoDB's `TableStatus`, or "missing"."""

    items: int = 0
    """DynamoDB updates this number about every six hours."""

    size: int = 0
    """Bytes, updated as often."""

    wrong: tuple[str, ...] = ()
    """How the table differs from the model, each with what to do."""

    @property
    def right(self) -> bool:
        """Whether the table exists and matches the model."""
        return self.status == "ACTIVE" and not self.wrong


def expected() -> list[type[Table]]:
    """One row class for each table. Several classes may share a table."""
    return list({table.Meta.table_name: table for table in all_tables()}.values())


def described(table: type[Table]) -> dict[str, Any]:
    """The arguments of CreateTable, with the TTL attribute."""
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
    """The TTL attribute, by which DynamoDB deletes expired items; None if the table has none."""
    found = [one.attr_name for one in table.get_attributes().values() if isinstance(one, TTLAttribute)]
    return found[0] if found else None


def create() -> Iterator[tuple[str, bool]]:
    """Creates missing tables, and switches on TTL and point-in-time recovery where they are off.

    If a run is interrupted, the next one completes it. Yields (name, whether the table was created).
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
    """Deletes the tables with their data. Yields (name, whether the table existed)."""
    for table in expected():
        there = table.exists()
        if there:
            table.delete_table()
        yield table.Meta.table_name, there


def status() -> Iterator[TableState]:
    """The state of each table."""
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
        yield (
            f"its key is {_keys(found['KeySchema'])}, not {_keys(wanted['KeySchema'])}: "
            "delete the table and create it again"
        )
    there = {one["IndexName"]: one for one in found.get("GlobalSecondaryIndexes", [])}
    for index in wanted["GlobalSecondaryIndexes"]:
        name = index["IndexName"]
        if name not in there:
            yield f"the index {name} is missing: apply serverless_config/tables.yaml"
        elif _index(there[name]) != _index(index):
            yield f"the index {name} differs from the model: delete it, then apply serverless_config/tables.yaml"
    if not _forgets(table):
        yield f"TTL does not use {ttl_attribute(table)}: run `ws_tables create`, or apply tables.yaml"
    if not _is_recoverable(table):
        yield "point-in-time recovery is off: run `ws_tables create`, or apply tables.yaml"


def _forgets(table: type[Table]) -> bool:
    """Whether DynamoDB deletes items by the TTL attribute of the model."""
    attribute = ttl_attribute(table)
    client = aws.client("dynamodb")
    ttl = client.describe_time_to_live(TableName=table.Meta.table_name)["TimeToLiveDescription"]
    on = ttl["TimeToLiveStatus"] in ("ENABLED", "ENABLING") and ttl.get("AttributeName") == attribute
    return on or attribute is None


def _is_recoverable(table: type[Table]) -> bool:
    client = aws.client("dynamodb")
    if client.meta.endpoint_url.startswith("http:"):
        return True  # an emulator: its data is disposable, and some emulators have no backups
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
