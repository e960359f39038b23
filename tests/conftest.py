"""Fixtures of the whole test run."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from ws_lambda import aws
from ws_lambda.models import base

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def dynamodb() -> Iterator[list[str]]:
    """An empty DynamoDB in memory. Tests create the tables that they need."""
    sent: list[str] = []

    def record(event_name: str, **_kwargs: Any) -> None:
        sent.append(event_name.rpartition(".")[2])

    with mock_aws():
        aws.forget()
        base.forget_connection()
        aws.session().register("request-created.dynamodb", record)
        yield sent
    aws.forget()
    base.forget_connection()


@pytest.fixture
def calls(dynamodb: list[str]) -> list[str]:
    """The DynamoDB requests so far, by operation name. Clear it where the counting is to start."""
    return dynamodb
