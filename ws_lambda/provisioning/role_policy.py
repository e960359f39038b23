"""The actions that the function's role must allow, and those that a role allows."""

from collections.abc import Iterator
from typing import Any

from ws_lambda import aws

REQUIRED = frozenset(
    {
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
        "execute-api:ManageConnections",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
)
"""The actions that every deployment needs. Those of the queue are needed only with a queue."""


def granted(role_arn: str) -> set[str]:
    """The actions that a role's policies allow on any resource.

    Raises:
        botocore.exceptions.ClientError: the role does not exist, or may not be read.
    """
    role = role_arn.rpartition("/")[2]
    return {action for document in _documents(role) for action in _allowed(document)}


def _documents(role: str) -> Iterator[dict[str, Any]]:
    client = aws.client("iam")
    for name in client.list_role_policies(RoleName=role)["PolicyNames"]:
        yield client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    for attached in client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        policy = client.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
        version = client.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=policy["DefaultVersionId"])
        yield version["PolicyVersion"]["Document"]


def _allowed(document: dict[str, Any]) -> Iterator[str]:
    statements = document["Statement"]
    for statement in [statements] if isinstance(statements, dict) else statements:
        if statement["Effect"] == "Allow":
            actions = statement.get("Action", [])
            yield from [actions] if isinstance(actions, str) else actions
