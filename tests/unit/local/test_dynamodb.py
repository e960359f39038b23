"""The DynamoDB process of `ws_local`: it answers what moto answers, and keeps what a failed transaction met."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests import dynamodb_story, local_dynamodb
from tests.local_dynamodb import ONCE
from ws_lambda import aws


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with local_dynamodb.running() as running, closing(running.client()) as client:
        yield client


def test_it_answers_what_moto_answers(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws(), closing(aws.session().create_client("dynamodb", "eu-west-1", config=ONCE)) as plain:
        expected = dynamodb_story.told(plain)
    for ours, motos in zip(dynamodb_story.told(dynamodb), expected, strict=True):
        assert ours == motos


def test_tables_are_made_tagged_and_deleted(dynamodb: Any) -> None:
    made = dynamodb.create_table(
        TableName="rooms", BillingMode="PAY_PER_REQUEST", Tags=[{"Key": "a", "Value": "b"}],
        KeySchema=[{"AttributeName": "room", "KeyType": "HASH"}, {"AttributeName": "who", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("room", "who")],
    )  # fmt: skip
    assert dynamodb.describe_table(TableName="rooms")["Table"]["TableStatus"] == "ACTIVE"
    dynamodb.update_time_to_live(
        TableName="rooms", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    ttl = dynamodb.describe_time_to_live(TableName="rooms")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    tags = dynamodb.list_tags_of_resource(ResourceArn=made["TableDescription"]["TableArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    dynamodb.delete_table(TableName="rooms")
    assert "rooms" not in dynamodb.list_tables()["TableNames"]


def test_a_transaction_that_fails_leaves_everything_as_it_was(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="undone", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "room", "KeyType": "HASH"}, {"AttributeName": "who", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("room", "who")],
    )  # fmt: skip

    def item(who: str, **more: str) -> dict[str, Any]:
        return {name: {"S": value} for name, value in {"room": "a", "who": who, **more}.items()}

    for who in ("kept", "changed"):
        dynamodb.put_item(TableName="undone", Item=item(who, said="x"))
    before = dynamodb.scan(TableName="undone")["Items"]
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "undone", "Item": item("new")}},
                {"Delete": {"TableName": "undone", "Key": item("kept")}},
                {"Update": {"TableName": "undone", "Key": item("changed"), "UpdateExpression": "REMOVE said"}},
                {"Put": {"TableName": "undone", "Item": item("other"), "ConditionExpression": "attribute_exists(who)"}},
            ]
        )
    by_who = {one["who"]["S"]: one for one in dynamodb.scan(TableName="undone")["Items"]}
    assert by_who == {one["who"]["S"]: one for one in before}
