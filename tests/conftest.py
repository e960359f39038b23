"""Fixtures of the whole test run."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from ws_lambda import aws
from ws_lambda.models import base

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

pytest_plugins = ["tests.local_site"]


@pytest.fixture
def dynamodb() -> Iterator[list[str]]:
    """An empty DynamoDB in memory. Tests create the tables that they need.

    The botocore session outlives the test: reading the service model again costs 200 ms.
    """
    sent: list[str] = []

    def record(event_name: str, **_kwargs: Any) -> None:
        sent.append(event_name.rpartition(".")[2])

    with mock_aws():
        base.forget_connection()
        session = aws.session()
        session.register("request-created.dynamodb", record)
        yield sent
        session.unregister("request-created.dynamodb", record)
    base.forget_connection()


@pytest.fixture
def calls(dynamodb: list[str]) -> list[str]:
    """The DynamoDB requests so far, by operation name. Clear it where the counting is to start."""
    return dynamodb
