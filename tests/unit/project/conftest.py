"""The demo project in this process: its own settings, its pages, its view, and someone to deliver to."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client

from project import settings as demo
from tests import dynamodb_server, wire
from tests.far_side import FarSide
from ws_lambda import aws
from ws_lambda.delivery import curl
from ws_lambda.models import all_tables, base, channel_permissions, gateways
from ws_lambda.users.models import User

OF_THE_DEMO = (
    "AUTHENTICATION_BACKENDS",
    "AUTH_USER_MODEL",
    "INSTALLED_APPS",
    "LOGIN_REDIRECT_URL",
    "LOGIN_URL",
    "LOGOUT_REDIRECT_URL",
    "MIDDLEWARE",
    "ROOT_URLCONF",
    "SESSION_ENGINE",
    "STATIC_URL",
    "TEMPLATES",
    "WS_LOCAL_ACCOUNTS",
)
"""The settings that make the demo; SECRET_KEY, DATABASES and quick passwords are those of the test run."""


@pytest.fixture(scope="module")
def dynamodb_server_in_use() -> Iterator[None]:
    """A DynamoDB that can be spoken to over HTTP, as the sender does."""
    with dynamodb_server.serving() as url, pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "local")
        environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        aws.forget()
        yield
    aws.forget()


@pytest.fixture
def gateway() -> Iterator[FarSide]:
    """Where messages to connections arrive."""
    with FarSide().serving() as side:
        yield side


@pytest.fixture(autouse=True)
def project(settings: LazySettings, dynamodb_server_in_use: None, gateway: FarSide) -> Iterator[None]:
    """The demo's settings, with tables of this test's own and two accounts."""
    for name in OF_THE_DEMO:
        setattr(settings, name, getattr(demo, name))
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.WS_LAMBDA = demo.WS_LAMBDA | {
        "TABLE_PREFIX": f"t{uuid4().hex}_",
        "ALLOWED_ORIGINS": [wire.ORIGIN],
        "ENDPOINT_URL": gateway.endpoint_url,
        "WEBSOCKET_URL": f"wss://{wire.HOST}/prod",
    }
    _forget()
    for table in all_tables():
        table.create_table(billing_mode="PAY_PER_REQUEST")
    for name in ("red", "blue"):
        User.objects.create_user(name, password=f"{name}-demo")
    yield
    for table in all_tables():
        table.delete_table()
    _forget()


def _forget() -> None:
    base.forget_connection()
    curl.forget()
    channel_permissions.forget_cache()
    gateways.forget()


@pytest.fixture
def browser() -> Client:
    """A client that has logged in as red."""
    client = Client()
    client.force_login(User.objects.get(username="red"))
    return client


@pytest.fixture
def enter() -> Callable[..., None]:
    """Connects someone to a room."""

    def connected(name: str, connection_id: str, room: str = "general") -> None:
        client = Client()
        client.force_login(User.objects.get(username=name))
        token = client.post("/api/ws-token/").json()["token"]
        answer = wire.connect(connection_id, token=token, query={"channel": room})
        assert answer["statusCode"] == 200, answer

    return connected
