"""An emulated AWS on loopback. Its APIs have the host names that they would have on AWS.

Known differences from AWS: a refused connect is always answered with 403, there are no JSON error frames, an answer
reaches the client without a route response, and CloudFormation does not know route responses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from tests import ministack

REGION = "eu-west-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Cloud:
    """Its address, and credentials for it."""

    url: str

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make AWS tools use it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def connections_url(self, api_id: str, stage: str) -> str:
        """The `@connections` endpoint for clients that cannot resolve the API's own host name."""
        return f"{self.url}/_aws/execute-api/{api_id}/{stage}"

    def queue_url(self, name: str) -> str:
        return f"{self.url}/{ACCOUNT}/{name}"

    def create_stack(self, name: str, template: Path, **parameters: str) -> None:
        """Applies a CloudFormation file, and waits for it."""
        client = self.client("cloudformation")
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        client.create_stack(StackName=name, TemplateBody=template.read_text(), Parameters=given)
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


@contextmanager
def running(folder: Path) -> Iterator[Cloud]:
    """Runs one until the block ends, with its files in `folder`."""
    with ministack.running(folder, MINISTACK_HOST=f"{REGION}.amazonaws.com", MINISTACK_REGION=REGION) as url:
        yield Cloud(url)
