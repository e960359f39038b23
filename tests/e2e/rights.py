"""Compares the rights in `iam/deploy.json` with the calls that a deploy makes."""

from collections.abc import Iterable

from tests.policy import BY_API_GATEWAY, allowed, deployer_needs

IAM_NAMES = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "Invoke": "InvokeFunction",
    "ListObjectsV2": "ListBucket",
    "UploadPart": "PutObject",
}
"""Where an action is spelled differently from its operation."""

BY_CLOUDFORMATION = {
    *(f"apigateway:{method}" for method in ("DELETE", "GET", "PATCH", "POST", "PUT")),
    *(f"logs:{action}" for action in ("CreateLogGroup", "DescribeLogGroups", "DeleteLogGroup", "PutRetentionPolicy")),
    *(f"logs:{action}" for action in ("ListTagsForResource", "TagResource")),
    *(f"route53:{action}" for action in ("ChangeResourceRecordSets", "ListResourceRecordSets")),
    *(f"route53:{action}" for action in ("GetChange", "GetHostedZone", "ListHostedZones")),
}
"""Actions of CloudFormation with the rights of its caller. Zappa tags its stack, and so everything in it."""

BY_OTHER_COMMANDS_OF_ZAPPA = {
    *(f"lambda:{action}" for action in ("CreateAlias", "PublishVersion", "PutFunctionConcurrency", "UpdateAlias")),
    *(f"logs:{action}" for action in ("DescribeLogStreams", "FilterLogEvents")),
    "iam:UpdateAssumeRolePolicy",
    "lambda:TagResource",
    "s3:AbortMultipartUpload",
}
"""For tail, rollback, SnapStart, tags, and an upload that breaks off."""

BY_AWS = {"iam:PassRole", "s3:GetObject", *BY_API_GATEWAY}
"""For CreateFunction, which passes the role on, and reads the zip with the caller's rights."""


def of_the_deployer(calls: Iterable[tuple[str, str, str]]) -> None:
    """Asserts that `iam/deploy.json` has every action that Zappa needed. `tests.policy` finds unused actions."""
    needed = set()
    for service, operation, method in calls:
        name = method if service.startswith("apigateway") else IAM_NAMES.get(operation, operation)
        needed.add(f"{'apigateway' if service.startswith('apigateway') else service}:{name}")
    assert needed <= allowed("deploy.json")
    others = BY_CLOUDFORMATION | BY_OTHER_COMMANDS_OF_ZAPPA | BY_AWS
    assert others <= allowed("deploy.json")
    deployer_needs(needed | others)
