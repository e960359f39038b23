"""`ws_lambda/tables/` holds rows only: one file for each DynamoDB table, with every row class of that table in it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ws_lambda
from ws_lambda import tables
from ws_lambda.models import ApiGateway, ChannelMessage, ChannelPermission, FanoutJob, WebSocketSession, WebSocketToken
from ws_lambda.tables.table import Table

PACKAGE = Path(ws_lambda.__file__).parent
ROWS = Path(tables.__file__).parent
CLOUDFORMATION = PACKAGE.parent / "serverless_config" / "tables.yaml"

ELSEWHERE = {"users": "ws_lambda.users.user_row", "django_sessions": "ws_lambda.session_store"}
"""The tables of rooms that are usable alone."""

SHARED = {"__init__", "attributes", "idempotency", "shared_connection", "table"}
"""What the tables have in common."""

REQUESTS = {
    "batch_get", "batch_write", "count", "delete", "dispatch", "exists", "get", "query", "refresh", "save", "scan",
    "update",
}  # fmt: skip
"""Methods by which PynamoDB makes requests. `exists` is one of a table, and the condition of an attribute."""


def subclasses(of: type) -> Iterator[type]:
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


def row_classes() -> list[type[Table]]:
    return [one for one in subclasses(Table) if one.__module__.startswith("ws_lambda.")]


def test_each_table_of_the_template_has_a_file():
    names = set(re.findall(r'TableName: !Sub "\$\{TablePrefix\}(\w+)"', CLOUDFORMATION.read_text()))
    assert names - ELSEWHERE.keys() == {path.stem for path in ROWS.glob("*.py")} - SHARED


@pytest.mark.parametrize("row", row_classes(), ids=lambda row: row.__name__)
def test_every_row_class_is_in_the_file_of_its_table_and_what_it_does_declares_no_attribute(row: type[Table]):
    home = ELSEWHERE.get(row.Meta.name, f"ws_lambda.tables.{row.Meta.name}")
    if row.__module__ != home:
        (above,) = row.__bases__
        assert above.__module__ == home
        assert row.get_attributes() == above.get_attributes()
        assert row._indexes.keys() == above._indexes.keys()


@pytest.mark.parametrize("path", sorted({*ROWS.glob("*.py")} - {ROWS / f"{name}.py" for name in SHARED}))
def test_rows_make_no_request(path: Path):
    calls = [one.func for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call)]
    asked = {one.attr for one in calls if isinstance(one, ast.Attribute)}
    assert not asked & REQUESTS


@pytest.mark.parametrize(
    "public", [ApiGateway, ChannelMessage, ChannelPermission, FanoutJob, WebSocketSession, WebSocketToken]
)
def test_a_row_that_is_read_is_of_the_class_that_was_asked(public: type[Table]):
    item = {public._hash_key_attribute().attr_name: {"S": "a"}}
    assert type(public.from_raw_data(item)) is public
    assert all(index._model is public for index in public._indexes.values())
