"""The kit's quick moto answers what moto itself answers."""

from contextlib import ExitStack

import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser
from moto.dynamodb.parsing.expressions import UpdateExpressionParser

from tests import dynamodb_story
from ws_lambda import aws
from ws_lambda.local.moto_expressions import quick_expressions
from ws_lambda.testing.moto_speed import taking_turns, without_http

PATCHED = [
    (validators, "deepcopy"), (UpdateExpressionParser, "make"), (ConditionExpressionParser, "parse"),
    (ConditionExpressionParser, "_lex_condition_expression"), (DepthFirstTraverser, "traverse_node_recursively"),
]  # fmt: skip


def told(*, quick):
    with ExitStack() as stack:
        stack.enter_context(mock_aws())
        if quick:
            stack.enter_context(quick_expressions())
            stack.enter_context(taking_turns())
            stack.enter_context(without_http())
        client = aws.session().create_client("dynamodb", "eu-west-1")
        stack.callback(client.close)
        return dynamodb_story.told(client)


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


@pytest.mark.moto("it is moto that is quickened")
def test_a_client_shares_nothing_with_the_table(ws_tables):
    client = aws.client("dynamodb")
    item = {"username": {"S": "a"}, "groups": {"L": [{"S": "x"}]}}
    client.put_item(TableName="ws_lambda_users", Item=item)
    key = {"TableName": "ws_lambda_users", "Key": {"username": {"S": "a"}}}
    client.get_item(**key)["Item"]["groups"]["L"].append("mine")
    item["groups"]["L"].append("mine")
    assert client.get_item(**key)["Item"]["groups"] == {"L": [{"S": "x"}]}


@pytest.mark.moto("it is moto that is quickened")
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
    assert len(requests) == 1 + len(dynamodb_story.STORY)


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
