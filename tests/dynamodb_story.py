"""A sequence of calls to DynamoDB, for comparing the answers of engines."""

from typing import Any

from botocore.exceptions import ClientError

TABLE, KEY = {"TableName": "t"}, {"TableName": "t", "Key": {"k": {"S": "a"}}}
ITEM = {
    "k": {"S": "a"}, "n": {"N": "1.50"}, "l": {"L": [{"NULL": True}, {"BOOL": False}]}, "m": {"M": {"x": {"S": ""}}},
    "s": {"SS": ["p", "q"]},
}  # fmt: skip
FAILING = {**TABLE, "Item": ITEM, "ConditionExpression": "attribute_not_exists(k)"}
UPDATE = "SET n = n + :one, m.#x = if_not_exists(m.y, n), z = :s REMOVE l[0] ADD s :p"
STORY = [
    ("get_item", KEY),
    ("put_item", FAILING),
    ("put_item", FAILING),
    ("put_item", {**TABLE, "Item": {"k": {"S": "bytes"}, "b": {"B": b"\xff\x00"}, "bs": {"BS": [b"\x01"]}}}),
    ("get_item", {**TABLE, "Key": {"k": {"S": "bytes"}}, "ReturnConsumedCapacity": "TOTAL"}),
    *(
        (
            "update_item",
            {
                **KEY, "UpdateExpression": UPDATE, "ExpressionAttributeNames": {"#x": "x"}, "ReturnValues": returned,
                "ExpressionAttributeValues": {":one": {"N": "1"}, ":s": {"S": "ü"}, ":p": {"SS": [returned]}},
            },
        )
        for returned in ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_NEW")
    ),
    *(
        ("update_item", {**KEY, "UpdateExpression": update, "ReturnValues": "ALL_NEW",
                         "ExpressionAttributeValues": {":l": {"L": [{"S": "last"}]}}})
        for update in ("SET q = list_append(l, :l)", "SET l[0] = :l", "SET q = list_append(l, :l)")
    ),
    *(
        ("update_item", {**KEY, "UpdateExpression": "SET n = :n", "ConditionExpression": "#x IN (:n, :o) AND z <> :o",
                         "ExpressionAttributeNames": {"#x": named}, "ReturnValues": "ALL_NEW",
                         "ExpressionAttributeValues": {":n": {"N": number}, ":o": {"N": "5.50"}}})
        for named, number in (("n", "4"), ("n", "5.50"), ("n", "6"), ("l", "5.50"))
    ),
    ("update_item", {**KEY, "UpdateExpression": "SET n = :n", "ConditionExpression": "n < :n",
                     "ExpressionAttributeValues": {":n": {"N": "1"}, ":unused": {"N": "1"}}}),
    ("update_item", {**KEY, "UpdateExpression": "SET n = :n SET z = :n",
                     "ExpressionAttributeValues": {":n": {"N": "1"}}}),
    *[
        ("update_item", {**KEY, "UpdateExpression": update, "ExpressionAttributeValues": {":n": {"N": "1"}}})
        for update in (
            "SET n = :n, z = :n, n = :n", "SET m.a = :n, m = :n REMOVE z, z.b", "SET n = :n, z = :n REMOVE n ADD z :n",
        )
    ],
    ("update_item", {**KEY, "UpdateExpression": "no expression"}),
    ("update_item", {**TABLE, "Key": {"k": {"S": "new"}}, "UpdateExpression": "ADD n :n",
                     "ExpressionAttributeValues": {":n": {"N": "1"}}}),
    ("batch_get_item", {"RequestItems": {"t": {"Keys": [{"k": {"S": "a"}}, {"k": {"S": "nobody"}}]}}}),
    ("batch_write_item", {"RequestItems": {"t": [{"PutRequest": {"Item": {"k": {"S": "c"}}}}]}}),
    ("query", {**TABLE, "KeyConditionExpression": "k = :k", "ExpressionAttributeValues": {":k": {"S": "a"}}}),
    ("query", {**TABLE, "KeyConditionExpression": "k = :k", "ExpressionAttributeValues": {":k": {"S": "nobody"}}}),
    ("scan", {**TABLE, "Limit": 2}),
    ("transact_get_items", {"TransactItems": [{"Get": KEY}]}),
    ("transact_write_items", {"TransactItems": [{"Put": {**TABLE, "Item": {"k": {"S": "d"}}}}, {"Put": FAILING}]}),
    ("transact_write_items", {"TransactItems": [{"Put": {**TABLE, "Item": {"k": {"S": "d"}}}}, {"Delete": KEY}]}),
    ("scan", TABLE),
    ("delete_item", {**TABLE, "Key": {"k": {"S": "c"}}, "ReturnValues": "ALL_OLD"}),
    ("get_item", {"TableName": "nowhere", "Key": {"k": {"S": "a"}}}),
]  # fmt: skip


def told(client: Any) -> list[tuple[str, int, dict[str, Any]]]:
    """The answers of an empty DynamoDB, call by call."""
    client.create_table(
        **TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
    )  # fmt: skip
    return [_answer(client, *call) for call in STORY]


def _answer(client: Any, operation: str, arguments: dict[str, Any]) -> tuple[str, int, dict[str, Any]]:
    try:
        answer = getattr(client, operation)(**arguments)
    except ClientError as error:
        answer = {**error.response, "raised": str(error)}
    status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
    return operation, status, answer
