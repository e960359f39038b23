"""The demo project in this process: its own settings, its pages and its view, on the test kit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from project import settings as demo
from ws_lambda.testing import WebSocketTestClient
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
    "WS_LAMBDA",
    "WS_LOCAL_ACCOUNTS",
)
"""The settings that make the demo; SECRET_KEY, DATABASES and quick passwords are those of the test run."""


@pytest.fixture(autouse=True)
def project(settings: LazySettings) -> None:
    """The demo's settings. Autouse fixtures come first, so that its tables are made with its prefix."""
    for name in OF_THE_DEMO:
        setattr(settings, name, getattr(demo, name))
    settings.ALLOWED_HOSTS = ["testserver"]


@pytest.fixture
def people(ws_tables: None) -> dict[str, Any]:
    """The accounts red and blue."""
    return {name: User.objects.create_user(name, password=f"{name}-demo") for name in ("red", "blue")}


@pytest.fixture
def browser(people: dict[str, Any]) -> Client:
    """A client that has logged in as red."""
    client = Client()
    client.force_login(people["red"])
    return client


@pytest.fixture
def enter(people: dict[str, Any], ws_client: Callable[..., WebSocketTestClient]) -> Callable[..., WebSocketTestClient]:
    """Connects someone to a room."""

    def connected(name: str, room: str = "general") -> WebSocketTestClient:
        return ws_client(user=people[name], channel=room)

    return connected
