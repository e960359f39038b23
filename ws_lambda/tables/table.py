"""The base class of rows: a table name that is bound late, and a connection that all tables share."""

from collections.abc import Iterable, Mapping
from typing import Any

from pynamodb.connection import TableConnection
from pynamodb.exceptions import GetError
from pynamodb.models import Model

from ws_lambda.conf import conf
from ws_lambda.retrying import Retry
from ws_lambda.tables.shared_connection import connection

_RETRY = Retry(base=0.05, attempts=6, overtime=1.0)
"""For items that a busy DynamoDB has left out of its answer."""


class TableMeta(type):
    """Makes `Meta.table_name` follow `TABLE_PREFIX` at the time of use."""

    name: str

    @property
    def table_name(cls) -> str:
        return conf.TABLE_PREFIX + cls.name


class Table(Model):
    """Base of every table.

    A subclass names itself:

        class Meta(metaclass=TableMeta):
            name = "sessions"
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        shared = connection()
        if table.connection is not shared:
            if table.table_name not in shared._tables:
                shared.add_meta_table(table.get_meta_table())
            table.connection = shared
        return table


def batch_read(wanted: Iterable[tuple[type["Table"], Mapping[str, str]]]) -> dict[type["Table"], Any]:
    """Reads at most one item for each of several classes, in one consistent BatchGetItem.

    Args:
        wanted: pairs of a class and the item's key, by attribute name. All key attributes are strings. Classes may
            share a table.

    Returns:
        The items found, by class. Classes without an item are absent.

    Raises:
        GetError: DynamoDB is too busy to read all of them.
    """
    asked = [(table, {name: {"S": value} for name, value in key.items()}) for table, key in wanted]
    request: dict[str, Any] = {}
    for table, key in asked:
        request.setdefault(table.Meta.table_name, {"ConsistentRead": True, "Keys": []})["Keys"].append(key)
    found: dict[type[Table], Any] = {}
    attempts = _RETRY.begin()
    while request:
        answer = connection().dispatch("BatchGetItem", {"RequestItems": request})
        for name, items in answer["Responses"].items():
            for item in items:
                for table, key in asked:
                    if table.Meta.table_name == name and key.items() <= item.items():
                        found[table] = table.from_raw_data(item)
        request = answer.get("UnprocessedKeys") or {}
        if request and not attempts.wait():
            raise GetError("DynamoDB is too busy to read all the items")
    return found
