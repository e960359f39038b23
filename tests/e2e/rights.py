"""What the rights of `iam/deploy.json` are needed for."""

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
"""What CloudFormation does with the rights of its caller. Zappa tags its stack, so everything in it is tagged, too."""

BY_OTHER_COMMANDS_OF_ZAPPA = {
    *(f"lambda:{action}" for action in ("CreateAlias", "PublishVersion", "PutFunctionConcurrency", "UpdateAlias")),
    *(f"logs:{action}" for action in ("DescribeLogStreams", "FilterLogEvents")),
    "iam:UpdateAssumeRolePolicy",
    "lambda:TagResource",
    "s3:AbortMultipartUpload",
}
"""Of tail, rollback, SnapStart, tags, and of an upload that breaks off."""

BY_AWS = {"iam:PassRole", "s3:GetObject", *BY_API_GATEWAY}
"""Needed by CreateFunction: the role is handed on, and the zip is read with the caller's rights."""


def of_who_deploys(calls: Iterable[tuple[str, str, str]]) -> None:
    """`iam/deploy.json` has every action that Zappa needed. `tests.policy` finds actions that nobody needs."""
    needed = set()
    for service, operation, method in calls:
        name = method if service.startswith("apigateway") else IAM_NAMES.get(operation, operation)
        needed.add(f"{'apigateway' if service.startswith('apigateway') else service}:{name}")
    assert needed <= allowed("deploy.json")
    others = BY_CLOUDFORMATION | BY_OTHER_COMMANDS_OF_ZAPPA | BY_AWS
    assert others <= allowed("deploy.json")
    deployer_needs(needed | others)
