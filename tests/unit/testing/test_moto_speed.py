"""The kit's quick moto answers what moto itself answers."""

from contextlib import ExitStack

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.expressions import UpdateExpressionParser

from ws_lambda import aws
from ws_lambda.testing.moto_isolation import taking_turns
from ws_lambda.testing.moto_speed import quick_expressions, without_http

TABLE, KEY = {"TableName": "t"}, {"TableName": "t", "Key": {"k": {"S": "a"}}}
ITEM = {
    "k": {"S": "a"}, "n": {"N": "1.50"}, "l": {"L": [{"NULL": True}, {"BOOL": False}]}, "m": {"M": {"x": {"S": ""}}},
    "s": {"SS": ["p", "q"]},
}  # fmt: skip
PATCHED = [
    (validators, "deepcopy"), (UpdateExpressionParser, "make"), (ConditionExpressionParser, "parse"),
    (ConditionExpressionParser, "_lex_condition_expression"),
]  # fmt: skip
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


def told(*, quick):
    """What a client is told, call by call."""
    with ExitStack() as stack:
        stack.enter_context(mock_aws())
        if quick:
            stack.enter_context(quick_expressions())
            stack.enter_context(without_http(stack.enter_context(taking_turns())))
        client = aws.session().create_client("dynamodb", "eu-west-1")
        stack.callback(client.close)
        client.create_table(
            **TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        )  # fmt: skip
        return [answer_of(client, *call) for call in STORY]


def answer_of(client, operation, arguments):
    try:
        answer = getattr(client, operation)(**arguments)
    except ClientError as error:
        answer = {**error.response, "raised": str(error)}
    status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
    return operation, status, answer


@pytest.fixture
def requests(monkeypatch):
    """The requests that went the long way."""
    gone, usual = [], BotocoreStubber.process_request

    def process_request(stubber, request):
        gone.append(request.headers["X-Amz-Target"].decode().rpartition(".")[2])
        return usual(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_request)
    return gone


def test_a_client_is_told_the_same(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    for quick, plain in zip(told(quick=True), told(quick=False), strict=True):
        assert quick == plain


def test_a_client_shares_nothing_with_the_table(ws_tables):
    client = aws.client("dynamodb")
    item = {"username": {"S": "a"}, "groups": {"L": [{"S": "x"}]}}
    client.put_item(TableName="ws_lambda_users", Item=item)
    key = {"TableName": "ws_lambda_users", "Key": {"username": {"S": "a"}}}
    client.get_item(**key)["Item"]["groups"]["L"].append("mine")
    item["groups"]["L"].append("mine")
    assert client.get_item(**key)["Item"]["groups"] == {"L": [{"S": "x"}]}


def test_a_round_makes_no_request_over_http(requests, ws_client, user):
    requests.clear()
    ws = ws_client(user=user, channel="general")
    ws.send_json({"action": "ask"})
    assert ws.receive_json() == {"asked": "ask"}
    ws.disconnect()
    assert requests == []


def test_afterwards_moto_is_as_it_was(requests):
    def insides():
        return [vars(one)[name] for one, name in PATCHED]

    before = insides()
    with quick_expressions():
        assert all(quick is not plain for quick, plain in zip(insides(), before, strict=True))
    assert insides() == before
    told(quick=True)
    requests.clear()
    told(quick=False)
    assert len(requests) == 1 + len(STORY)


@pytest.mark.parametrize(
    ("changed", "name", "guarded"),
    [
        (validators, "deepcopy", validators.ActionCountValidator),
        (ConditionExpressionParser, "_lex_condition_expression", ConditionExpressionParser),
    ],
)
def test_a_moto_with_other_insides_is_left_as_it_is(monkeypatch, changed, name, guarded):
    monkeypatch.delattr(changed, name)
    before = dict(vars(guarded))
    with quick_expressions():
        assert dict(vars(guarded)) == before
