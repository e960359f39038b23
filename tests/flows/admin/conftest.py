"""The admin over an AWS in memory, with people who may and who may not."""

import io
import zipfile
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from tests import engines, moto_apigateway
from tests.flows.admin.gateway_forms import PAGE, typed
from ws_lambda import aws
from ws_lambda.models import ApiGateway, WebSocketSession


@pytest.fixture
def admin_tables(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[str]:
    """Every table, those of installed apps included; the value is the list of requests so far."""
    moto_apigateway.install(monkeypatch)
    requests: list[str] = request.getfixturevalue("ws_requests")
    return requests


def person(name: str, **more: Any) -> Any:
    permissions = more.pop("permission_names", [])
    return get_user_model().objects.create_user(
        name, f"{name}@example.com", "pw", permission_names=permissions, **{"is_staff": True, **more}
    )


@pytest.fixture
def root(admin_tables: list[str]) -> Client:
    """A superuser, logged in."""
    person("root", is_superuser=True)
    return logged_in("root")


def logged_in(name: str) -> Client:
    client = Client()
    assert client.login(username=name, password="pw")
    return client


def session(connection_id: str, **more: Any) -> WebSocketSession:
    """A stored session, connected unless told otherwise."""
    now = timezone.now()
    connected = more.get("connected", True)
    row = WebSocketSession(
        connection_id,
        **{
            "api_id": "abc",
            "endpoint_url": "http://127.0.0.1:9/dev",
            "connected_at": now,
            "last_seen_at": now,
            "expires_at": now + timezone.timedelta(hours=3),
            "live_shard": str(len(connection_id) % 4) if connected else None,
            **more,
        },
    )
    engines.put_many(WebSocketSession.Meta.table_name, [row.serialize()])  # many of them take no time
    return row


def said(response: Any) -> list[str]:
    """The messages at the top of the page that a post leads to."""
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def lambda_function(admin_tables: list[str]) -> None:
    """The Lambda function that gateways lead to."""
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "")
    aws.client("lambda").create_function(
        FunctionName="chat", Runtime="python3.13", Role=role, Handler="app.h", Code={"ZipFile": packed.getvalue()}
    )


@pytest.fixture
def chat(lambda_function: None, root: Client) -> ApiGateway:
    """A gateway with one additional route, not yet created in AWS."""
    root.post(PAGE + "add/", typed({"name": "History", "route_key": "history"}), follow=True)
    return ApiGateway.get("chat")
