"""The tables as `ws_tables create` leaves them, with TTL and recovery: made once, and copied for later tests."""

import pickle
from functools import cache

from tests import engines
from ws_lambda import aws
from ws_lambda.models import all_tables
from ws_lambda.provisioning import dynamodb_tables
from ws_lambda.tables.table import Table
from ws_lambda.testing import moto_tables


def create() -> None:
    """Creates the tables. There must be none."""
    if engines.real():
        _create()
    else:
        tables = tuple((model, model.Meta.table_name) for model in all_tables())
        moto_tables.in_moto().update(pickle.loads(_made(aws.region(), tables)))  # noqa: S301 - our own


def _create() -> None:
    for _ in dynamodb_tables.create():
        pass


@cache
def _made(region: str, tables: tuple[tuple[type[Table], str], ...]) -> bytes:
    """The tables, pickled. The region, the classes and their tables' names are keys of the cache."""
    _create()
    return pickle.dumps(dict(moto_tables.in_moto()))
