"""The tables as `ws_tables create` leaves them, with TTL and recovery: made once, and copied for later tests."""

import pickle
from functools import cache

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from tests import engines
from ws_lambda import aws
from ws_lambda.provisioning import dynamodb_tables


def create() -> None:
    """Creates the tables. There must be none."""
    if engines.real():
        _create()
    else:
        dynamodb_backends[DEFAULT_ACCOUNT_ID][aws.region()].tables.update(pickle.loads(_made()))  # noqa: S301 - our own


def _create() -> None:
    for _ in dynamodb_tables.create():
        pass


@cache
def _made() -> bytes:
    _create()
    return pickle.dumps(dict(dynamodb_backends[DEFAULT_ACCOUNT_ID][aws.region()].tables))
