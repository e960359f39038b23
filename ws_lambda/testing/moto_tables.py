"""Creates each empty table in moto once, and copies it for later tests. Creating it takes longer than most tests."""

import pickle
from collections.abc import Iterable
from functools import cache
from typing import Any

from ws_lambda import aws
from ws_lambda.tables.table import Table


def create(models: Iterable[type[Table]]) -> None:
    """Creates the tables that do not exist. Call it inside `mock_aws`.

    Later changes of a class's attributes or indexes are ignored, because no process makes them.
    """
    tables = in_moto()
    for model in models:
        name = model.Meta.table_name
        if name not in tables:
            tables[name] = pickle.loads(_made(model, name, aws.region()))  # noqa: S301 - our own


def in_moto() -> dict[str, Any]:
    """Moto's tables of the current region, by name."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.dynamodb.models import dynamodb_backends

    tables: dict[str, Any] = dynamodb_backends[DEFAULT_ACCOUNT_ID][aws.region()].tables
    return tables


@cache
def _made(model: type[Table], name: str, region: str) -> bytes:
    """A new table of moto, pickled. It is created through moto's API. The name and region are keys of the cache."""
    model.create_table(billing_mode="PAY_PER_REQUEST")
    return pickle.dumps(in_moto().pop(name))
