"""Creates each empty table in moto once, and copies it for later tests. Creating it takes longer than most tests."""

import pickle
from collections.abc import Iterable
from functools import cache

from ws_lambda import aws
from ws_lambda.tables.table import Table


def create(models: Iterable[type[Table]]) -> None:
    """Creates the tables that do not exist. Call it inside `mock_aws`.

    Later changes of a class's attributes or indexes are ignored, because no process makes them.
    """
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.dynamodb.models import dynamodb_backends

    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][aws.region()].tables
    for model in models:
        name = model.Meta.table_name
        if name not in tables:
            tables[name] = pickle.loads(_made(model, name, aws.region()))  # noqa: S301 - our own


@cache
def _made(model: type[Table], name: str, region: str) -> bytes:
    """A new table of moto, pickled. It is created through moto's API."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.dynamodb.models import dynamodb_backends

    model.create_table(billing_mode="PAY_PER_REQUEST")
    return pickle.dumps(dynamodb_backends[DEFAULT_ACCOUNT_ID][region].tables.pop(name))
