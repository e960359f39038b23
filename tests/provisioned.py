"""What must exist in AWS before a gateway can be created."""

import io
import zipfile
from typing import Any

import boto3


def make_function(
    endpoint_url: str | None = None,
    source: str = "def handler(event, context): return {}",
    *,
    name: str = "chat",
    **keys: Any,
) -> str:
    """Creates a Lambda function and returns its ARN."""
    iam = boto3.client("iam", endpoint_url=endpoint_url, **keys)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", source)
    made = boto3.client("lambda", endpoint_url=endpoint_url, **keys).create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    return str(made["FunctionArn"])
