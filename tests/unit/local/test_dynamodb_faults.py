"""The proxy that loses requests and answers."""

import json
import urllib.error
import urllib.request
from http.client import RemoteDisconnected

import pytest

from tests import dynamodb_server
from ws_lambda.local.dynamodb_faults import DynamoDBFaults, faulty, kinds


def ask(url, operation, body, *, host="127.0.0.1:8000", **more):
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    headers |= {
        "Host": host,
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request",
    }
    headers |= more
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)  # noqa: S310 - on loopback
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - on loopback
        return json.load(answer)


@pytest.fixture(scope="module")
def upstream():
    with dynamodb_server.serving() as url:
        key = [{"AttributeName": "id", "KeyType": "HASH"}]
        types = [{"AttributeName": "id", "AttributeType": "S"}]
        table = {"TableName": "t", "KeySchema": key, "AttributeDefinitions": types, "BillingMode": "PAY_PER_REQUEST"}
        ask(url, "CreateTable", table)
        yield url


def put(proxy, name):
    return ask(proxy.url, "PutItem", {"TableName": "t", "Item": {"id": {"S": name}}})


def stored(upstream, name):
    return "Item" in ask(upstream, "GetItem", {"TableName": "t", "Key": {"id": {"S": name}}})


def test_without_faults_everything_passes(upstream):
    with faulty(upstream) as proxy:
        put(proxy, "plain")
        assert proxy.seen["PutItem", ""] == 1
    assert stored(upstream, "plain")


@pytest.mark.parametrize(("fault", "done"), [("cut", True), ("cut_before", False)])
def test_a_cut_connection_has_no_answer(upstream, fault, done):
    with faulty(upstream, DynamoDBFaults(**{fault: 1})) as proxy:
        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            put(proxy, fault)
        assert proxy.seen["PutItem", fault] == 1
    assert stored(upstream, fault) is done


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("throttle", 400, "ProvisionedThroughputExceededException"), ("error", 500, "InternalServerError")],
)
def test_a_refusal_looks_like_dynamodbs(upstream, fault, status, code):
    with faulty(upstream, DynamoDBFaults(**{fault: 1})) as proxy, pytest.raises(urllib.error.HTTPError) as refused:
        put(proxy, fault)
    with refused.value as answer:
        assert (answer.code, json.load(answer)["__type"].rpartition("#")[2]) == (status, code)
    assert not stored(upstream, fault)


def test_faults_concern_the_operations_named_and_change_while_it_runs(upstream):
    with faulty(upstream, DynamoDBFaults(error=1, operations=frozenset({"UpdateItem"}))) as proxy:
        put(proxy, "other operation")
        proxy.faults = DynamoDBFaults(error=1)
        with pytest.raises(urllib.error.HTTPError) as refused:
            put(proxy, "now")
        refused.value.close()
        assert ask(proxy.url, "ListTables", {})["TableNames"] == ["t"]


def test_a_seed_makes_the_same_faults_again(upstream):
    def day(seed):
        with faulty(upstream, DynamoDBFaults(throttle=0.5), seed=seed) as proxy:
            return [attempt(proxy, number) for number in range(12)]

    def attempt(proxy, number):
        try:
            put(proxy, f"n{number}")
        except urllib.error.HTTPError as refused:
            refused.close()
            return False
        return True

    first = day(3)
    assert first == day(3) != day(4)
    assert set(first) == {True, False}


@pytest.mark.parametrize("shares", [{"cut": 1.5}, {"error": -0.1}, {"cut": 0.6, "throttle": 0.6}])
def test_shares_that_are_none(shares):
    with pytest.raises(ValueError, match="from 0 to 1"):
        DynamoDBFaults(**shares)


def test_the_kinds():
    assert kinds() == ["cut", "cut_before", "throttle", "error"]


@pytest.mark.parametrize("header", [{"Host": "rebound.example:8000"}, {"Origin": "http://127.0.0.1:3000"}])
def test_pages_and_foreign_hosts_are_refused(upstream, header):
    with faulty(upstream) as proxy, pytest.raises(urllib.error.HTTPError) as refused:
        ask(proxy.url, "ListTables", {}, **header)
    assert refused.value.code == 403
    refused.value.close()
