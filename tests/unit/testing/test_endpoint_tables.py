"""Tables at an endpoint, which are emptied after each test and deleted when the process ends."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from tests import dynamodb_server
from ws_lambda.testing import endpoint_tables

ROOT = Path(__file__).resolve().parents[3]


class Busy:
    """An endpoint that leaves one of the writes undone, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked: list[int] = []

    def __call__(self, operation: str, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        assert operation == "BatchWriteItem"
        [(name, writes)] = RequestItems.items()
        self.asked.append(len(writes))
        left = {name: writes[-1:]} if len(self.asked) <= self.times else {}
        return {"UnprocessedItems": left}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ws_lambda.retrying.time.sleep", lambda _seconds: None)


def test_no_row_of_a_test_is_left_to_the_next_one() -> None:
    busy = Busy(2)
    endpoint_tables._write(busy, {"sessions": [{"DeleteRequest": {"Key": {}}}] * 3})
    assert busy.asked == [3, 1, 1]


def test_an_endpoint_that_stays_busy_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="too busy to empty sessions"):
        endpoint_tables._write(Busy(99), {"sessions": [{"DeleteRequest": {"Key": {}}}]})


def test_no_batch_is_larger_than_aws_allows() -> None:
    """moto takes larger ones."""
    batches: list[int] = []

    def ask(operation: str, **request: Any) -> dict[str, Any]:
        if operation == "Scan":
            return {"Items": [{"id": {"S": str(number)}} for number in range(30)]}
        batches.append(sum(map(len, request["RequestItems"].values())))
        return {}

    endpoint_tables.empty({"sessions": ["id"], "messages": ["id"]}, ask)
    assert batches == [25, 25, 10]


PROGRAM = """
import multiprocessing, os, sys
import boto3, django
django.setup()
from ws_lambda.tables.rate_limits import RateLimit
from ws_lambda.testing import tables

def work():
    with tables():
        print(RateLimit.Meta.table_name, flush=True)

work()
with tables():
    RateLimit.of("scope").save()
    if os.fork() == 0:
        sys.exit()  # leaves the block, and calls the exit handlers that it has of its parent
    os.wait()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
    assert RateLimit.count("scope") == 1
    prefix = RateLimit.Meta.table_name.removesuffix("ws_lambda_rate_limits")
    client = boto3.client("dynamodb")
    listed = client.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
    protected = min(name for name in listed if name.startswith(prefix))
    print(protected)
    client.update_table(TableName=protected, DeletionProtectionEnabled=True)
os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"
del os.environ["AWS_SECRET_ACCESS_KEY"]
"""

NEIGHBOURS = ["test_0_ws_lambda_sessions", *(f"test_0_{number}" for number in range(100))]
"""Tables of another process. They fill the first page of ListTables."""


@pytest.fixture
def neighbours(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an endpoint with the tables of another process."""
    keys = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    with dynamodb_server.serving() as url:
        for name, value in {
            **keys,
            "AWS_ENDPOINT_URL_DYNAMODB": url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }.items():
            monkeypatch.setenv(name, value)
        with closing(boto3.session.Session().client("dynamodb")) as client:
            attribute = {"AttributeName": "id"}
            client.create_table(
                TableName=NEIGHBOURS[0],
                KeySchema=[attribute | {"KeyType": "HASH"}],
                AttributeDefinitions=[attribute | {"AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            made = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables  # the server is in this process
            made.update(dict.fromkeys(NEIGHBOURS, made[NEIGHBOURS[0]]))
            yield client


def test_a_process_deletes_its_own_tables_when_it_ends(neighbours: Any) -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    parents, workers, protected = ended.stdout.split()
    assert parents != workers
    left = neighbours.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
    assert sorted(left) == sorted([*NEIGHBOURS, protected])
    assert f"The test table {protected} stays at http://127.0.0.1" in ended.stderr
