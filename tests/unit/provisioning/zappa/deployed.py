"""What an earlier deploy has left, for the tests of the hooks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[4]

DOMAIN = {"name": "ws.example.com", "certificate_arn": "arn:aws:acm:eu-west-1:1:certificate/x", "mapping": "chat"}

Load = Callable[..., Any]
"""Of the fixture `load`: a command, and changes to the settings; returns Zappa's command line object."""


def make_function(**variables: str) -> Any:
    """A function as an earlier deploy has left it; the value is a client."""
    iam = boto3.client("iam", region_name="eu-west-1")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = boto3.client("lambda", region_name="eu-west-1")
    client.create_function(
        FunctionName="demo-dev",
        Runtime="python3.11",
        Handler="a.b",
        Role=role,
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        Environment={"Variables": variables},
    )
    return client
