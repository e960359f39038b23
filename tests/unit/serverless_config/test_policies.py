"""The policies themselves; that calls and policies match is checked by `tests.policy` over the whole run."""

import json
from typing import Any

import pytest

from tests import policy
from ws_lambda.models import RateLimit
from ws_lambda.models.rate_limits import hit
from ws_lambda.provisioning.zappa import function_settings

IAM = policy.ROOT / "serverless_config" / "iam"
KNOWN = {
    "AccountId": "123456789012",
    "Region": "eu-west-1",
    "Partition": "aws",
    "Stage": "dev",
    "FunctionName": "demo-dev",
    "WebSocketApiId": "a1b2c3",
    "TABLE_PREFIX": "demo_dev_",
    "FANOUT_QUEUE": "demo-dev-fanout",
}


def statements(name: str) -> list[dict[str, Any]]:
    return list(json.loads(function_settings.policy((IAM / name).read_text(), KNOWN))["Statement"])


@pytest.mark.parametrize("name", ["function.json", "gateways.json", "deploy.json"])
def test_every_right_is_to_named_actions_on_resources_of_this_account(name: str) -> None:
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        assert statement["Action"] == sorted(statement["Action"])
        if statement["Resource"] != ["*"]:
            assert all(one.startswith("arn:aws:") for one in statement["Resource"])
        else:
            assert statement["Sid"].startswith("Any"), "only what AWS knows no resource for"


def test_the_function_may_speak_to_its_own_api_and_stage_only() -> None:
    (sockets,) = [one for one in statements("function.json") if one["Sid"] == "Sockets"]
    assert sockets["Resource"] == ["arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/dev/*/@connections/*"]


def test_a_transaction_needs_the_rights_of_its_parts() -> None:
    body = json.dumps({"TransactItems": [{"Put": {}}, {"ConditionCheck": {}}, {"Update": {}}]})
    needed = policy.actions("dynamodb", "TransactWriteItems", {"body": body})
    assert needed == {"dynamodb:PutItem", "dynamodb:ConditionCheckItem", "dynamodb:UpdateItem"}
    assert policy.actions("sqs", "SendMessageBatch", {}) == {"sqs:SendMessage"}
    assert policy.actions("apigatewayv2", "UpdateApi", {"method": "PATCH"}) == {"apigateway:PATCH"}
    tagging = policy.actions("apigatewayv2", "TagResource", {"method": "POST"})
    assert tagging == {"apigateway:POST", "apigateway:PUT"}


@pytest.mark.usefixtures("ws_tables")
def test_the_functions_own_calls_are_recorded_and_a_tests_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[str]] = {"function": set(), "operator": set()}
    monkeypatch.setattr(policy, "_seen", seen)
    list(RateLimit.scan())
    assert seen == {"function": set(), "operator": set()}
    hit("a")
    assert seen["function"] == {"dynamodb:UpdateItem"}
