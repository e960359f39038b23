"""ministack as the target: an independent emulator, with the function deployed into it."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from tests import ministack
from tests.conformance.target import DeployedApi, Shape

STAGE = "prod"
KEYS = ("test", "test")
REGION = "eu-west-1"
_running = ExitStack()


@cache
def _endpoint(folder: Path) -> str:
    return _running.enter_context(ministack.running(folder))


@contextmanager
def deployed(shape: Shape, folder: Path) -> Iterator[DeployedApi]:
    """An API of this shape, with its own function, in the one emulator of the session."""
    endpoint = _endpoint(folder)
    events_file = folder / f"{shape.name}.jsonl"
    gateway = _client(endpoint, "apigatewayv2")
    function = _function(endpoint, shape, events_file)
    made = gateway.create_api(
        Name=shape.name, ProtocolType="WEBSOCKET", RouteSelectionExpression=shape.expression
    )  # fmt: skip
    api_id = made["ApiId"]
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    integration = gateway.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=uri, IntegrationMethod="POST"
    )["IntegrationId"]
    for key, replies in shape.routes.items():
        route = gateway.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{integration}")["RouteId"]
        if replies:
            gateway.create_route_response(ApiId=api_id, RouteId=route, RouteResponseKey="$default")
    gateway.create_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=True)
    path = f"{urlsplit(endpoint).netloc}/_aws/execute-api/{api_id}/{STAGE}"
    try:
        yield DeployedApi(
            url=f"ws://{path}", endpoint=f"http://{path}", events_file=events_file, api_id=api_id, stage=STAGE,
            domain_name=urlsplit(made["ApiEndpoint"]).netloc, keys=KEYS,
        )  # fmt: skip
    finally:
        _running.close()
        _endpoint.cache_clear()


def _client(endpoint: str, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1]
    )


def _function(endpoint: str, shape: Shape, events_file: Path) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(Path(__file__).with_name("function.py"), "function.py")
    made = _client(endpoint, "lambda").create_function(
        FunctionName=f"conformance-{shape.name}", Runtime="python3.11", Handler="function.handler", Timeout=30,
        Role="arn:aws:iam::000000000000:role/conformance", Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"EVENTS_FILE": str(events_file)}},
    )  # fmt: skip
    return made["FunctionArn"]
