"""An AWS in memory: moto with what it lacks, started once a module and emptied before each test."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.moto_api._internal.models import moto_api_backend

from tests import engines, moto_apigateway
from ws_lambda import aws
from ws_lambda.models import gateways
from ws_lambda.tables import shared_connection
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway
from ws_lambda.testing import database, endpoint_tables, moto_tables
from ws_lambda.testing.moto_speed import taking_turns

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def in_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        moto_apigateway.install(patch)
        aws.forget()
        with served() if engines.real() else database.in_memory():
            yield
    aws.forget()


@contextmanager
def served() -> Iterator[None]:
    with taking_turns(), engines.served():
        aws.forget()
        shared_connection.forget_connection()
        yield
    shared_connection.forget_connection()


@pytest.fixture(autouse=True)
def table(in_memory: None) -> Iterator[None]:
    moto_api_backend.reset()
    gateways.forget()
    with endpoint_tables.emptied([ApiGateway]) if engines.real() else nullcontext():
        if not engines.real():
            moto_tables.create([ApiGateway])
        yield
    gateways.forget()


@pytest.fixture
def before_call() -> Iterator[Callable[[str, Callable[..., None]], None]]:
    """Runs something just before each request of a service, or of one operation of it; `after.` just after."""
    registered: list[tuple[Any, str, Callable[..., None]]] = []

    def register(event: str, act: Callable[..., None]) -> None:
        moment = "after-call" if event.startswith("after.") else "before-call"
        event = event.removeprefix("after.")
        events = aws.client(event.partition(".")[0]).meta.events
        events.register(f"{moment}.{event}", act)
        registered.append((events, f"{moment}.{event}", act))

    yield register
    for events, name, act in registered:
        events.unregister(name, act)


def make_function(name: str) -> str:
    """The ARN of a new Lambda function."""
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}", Path="/")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return {}")
    made = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    return str(made["FunctionArn"])


@pytest.fixture
def function() -> str:
    """The ARN of a Lambda function."""
    return make_function("chat")


@pytest.fixture
def chat(function: str) -> ApiGateway:
    record = ApiGateway(
        api_name="chat",
        api_description="Rooms",
        lambda_function_arn=function,
        throttling_rate=50,
        throttling_burst=100,
        access_log_arn="arn:aws:logs:eu-west-1:123456789012:log-group:chat:*",
        tags={"team": "web"},
        additional_routes=[AdditionalRoute(name="History", route_key="history", target="/ws/history/")],
    )
    record.save()
    return record


@pytest.fixture
def fail_at(before_call: Callable[[str, Callable[..., None]], None]) -> Any:
    """Makes AWS refuse one operation until `.clear()`; with `.lose`, it does the thing and its answer is lost."""
    refused: set[str] = set()
    lost: set[str] = set()

    def refuse(model: Any, **_kwargs: Any) -> Any:
        if model.name in refused:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Slow down"}}, model.name)

    def lose(model: Any, **_kwargs: Any) -> Any:
        if model.name in lost:
            raise ReadTimeoutError(endpoint_url="https://aws.example.com")

    for service in ("apigatewayv2", "lambda", "route53"):
        before_call(service, refuse)
        before_call(f"after.{service}", lose)

    def clear() -> None:
        refused.clear()
        lost.clear()

    return SimpleNamespace(add=refused.add, lose=lost.add, clear=clear)


@pytest.fixture
def zone() -> str:
    made = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")
    return str(made["HostedZone"]["Id"]).rpartition("/")[2]


@pytest.fixture
def named(chat: ApiGateway, zone: str) -> ApiGateway:
    chat.domain_name, chat.certificate_arn, chat.hosted_zone_id = "ws.example.com", CERTIFICATE, zone
    chat.save()
    return chat
