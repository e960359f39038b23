"""S15: whoever takes the function over can do what it does, and nothing else.

That the policy grants what the code calls, and no more, is judged over the whole run by `tests.policy`.
"""

import json
from fnmatch import fnmatchcase

import pytest

from tests.policy import ROOT
from tests.unit.serverless_config.test_policies import IAM, statements

DYNAMODB = "arn:aws:dynamodb:eu-west-1:123456789012:table"
API = "arn:aws:execute-api:eu-west-1:123456789012"


def may(action, resource):
    """What IAM would say: an action and a resource that one statement names both."""
    return any(
        any(fnmatchcase(action, one) for one in statement["Action"])
        and any(fnmatchcase(resource, one) for one in statement["Resource"])
        for statement in statements("function.json")
    )


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:UpdateItem", f"{DYNAMODB}/demo_dev_sessions"),
        ("dynamodb:Query", f"{DYNAMODB}/demo_dev_sessions/index/by_user"),
        ("execute-api:ManageConnections", f"{API}:a1b2c3/dev/POST/@connections/C1="),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:demo-dev-fanout"),
    ],
)
def test_its_own_work(action, resource):
    assert may(action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:GetItem", f"{DYNAMODB}/demo_production_users"),
        ("dynamodb:GetItem", f"{DYNAMODB}/payroll"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:999999999999:table/demo_dev_users"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/demo_dev_users"),
        ("dynamodb:DeleteTable", f"{DYNAMODB}/demo_dev_sessions"),
        ("dynamodb:CreateTable", f"{DYNAMODB}/demo_dev_more"),
        ("dynamodb:ExportTableToPointInTime", f"{DYNAMODB}/demo_dev_users"),
        ("execute-api:ManageConnections", f"{API}:other1/dev/POST/@connections/C1="),
        ("execute-api:ManageConnections", f"{API}:a1b2c3/production/POST/@connections/C1="),
        ("execute-api:Invoke", f"{API}:a1b2c3/dev/$connect"),
        ("apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/apis/a1b2c3"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:another"),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:123456789012:function:demo-dev"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/admin"),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/admin"),
        ("s3:GetObject", "arn:aws:s3:::anything/at-all"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:any"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:another-queue"),
        ("logs:DeleteLogGroup", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/demo-dev"),
    ],
)
def test_and_nothing_else(action, resource):
    assert not may(action, resource)


def test_every_deployed_stage_has_this_policy_and_a_service_alone_takes_the_role():
    stages = json.loads((ROOT / "zappa_settings.json").read_text())
    base = stages["dev"]
    assert {stage.get("attach_policy", base["attach_policy"]) for stage in stages.values()} == {
        str((IAM / "function.json").relative_to(ROOT))
    }
    trust = json.loads((ROOT / base["assume_policy"]).read_text())["Statement"]
    assert [set(one["Principal"]) for one in trust] == [{"Service"}]
