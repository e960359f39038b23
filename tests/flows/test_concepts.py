"""Code as the concepts page has it, with the package's name in it exchanged and nothing else."""

import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.test import Client

from ws_lambda.models import ApiGateway, WebSocketSession, gateways
from ws_lambda.testing import InProcessGateway, WebSocketTestClient
from ws_lambda.users.models import User

CODE = """
from django.http import JsonResponse
from django.urls import path

from django_aws_api_gateway_websockets.models import WebSocketSession
from django_aws_api_gateway_websockets.views import WebSocketView


class ChatWebSocketView(WebSocketView):
    def chat_message(self, request, *args, **kwargs):
        return JsonResponse({"ok": True})

    def fetch_history(self, request, *args, **kwargs):
        self.websocket_session.send_message({"type": "reply", "message": "For you alone."})
        return JsonResponse({"route": self.kwargs["route"]})

    def to_support(self, request, *args, **kwargs):
        WebSocketSession.objects.filter(
            channel_name="support",
        ).send_message(
            {"type": "chat_message", "message": "For the support room."},
        )
        return JsonResponse({"ok": True})

    def to_all(self, request, *args, **kwargs):
        WebSocketSession.objects.filter(
            connected=True,
        ).send_message(
            {"type": "system", "message": "For everyone."},
        )
        return JsonResponse({"ok": True})


urlpatterns = [
    path(
        "ws/<slug:route>",
        ChatWebSocketView.as_view(),
        name="example_websocket",
    ),
]
"""
OURS = """
from django.urls import include

urlpatterns.append(path("", include("ws_lambda.urls")))
"""

Enter = Callable[..., WebSocketTestClient]
OK = {"ok": True}


@pytest.fixture(autouse=True)
def project(settings: Any) -> Iterator[None]:
    """The project's URLs are those of the code."""
    module = ModuleType("as_the_concepts_page_has_it")
    exec(CODE.replace("django_aws_api_gateway_websockets", "ws_lambda") + OURS, vars(module))  # noqa: S102
    sys.modules[module.__name__] = module
    settings.ROOT_URLCONF = module.__name__
    yield
    del sys.modules[module.__name__]


@pytest.fixture
def enter(ws_client: Enter) -> Enter:
    """Connects the user to a channel."""
    user = User.objects.create_user("red", password="secret")
    return lambda channel: ws_client(user=user, channel=channel)


def test_an_action_names_the_handler(enter: Enter) -> None:
    red = enter("general")
    red.send_json({"action": "chat_message", "message": "Hello"})
    assert red.receive_json() == OK


def test_a_handler_that_the_body_names_and_unicast(enter: Enter) -> None:
    red, other = enter("general"), enter("general")
    red.send_json({"handler": "fetch_history"})
    assert red.receive_all() == [{"type": "reply", "message": "For you alone."}, {"route": "default"}]
    other.expect_nothing()


def test_multicast_reaches_the_channel(enter: Enter) -> None:
    red, one, two = enter("general"), enter("support"), enter("support")
    red.send_json({"action": "to_support"})
    for member in (one, two):
        assert member.receive_all() == [{"type": "chat_message", "message": "For the support room."}]
    assert red.receive_all() == [OK]


def test_broadcast_reaches_every_open_connection(enter: Enter) -> None:
    red, one, left = enter("general"), enter("support"), enter("support")
    left.disconnect()
    red.send_json({"action": "to_all"})
    said = {"type": "system", "message": "For everyone."}
    assert (red.receive_all(), one.receive_all(), left.receive_all()) == ([said, OK], [said], [])


def test_a_custom_route_is_called_at_its_own_slug(ws_tables: None) -> None:
    user = User.objects.create_user("red", password="secret")
    with InProcessGateway(routes=("fetch_history",)), WebSocketTestClient(user=user, channel="general") as red:
        red.send_json({"action": "fetch_history"})
        assert red.receive_all()[-1] == {"route": "fetch_history"}


def test_the_connection_flow(ws_gateway: InProcessGateway) -> None:
    User.objects.create_user("red", password="secret")
    browser = Client(enforce_csrf_checks=True)
    browser.login(username="red", password="secret")
    assert browser.post("/api/ws-token/").status_code == 403, "a token is asked for with the page's CSRF token"
    csrf = "c" * 32
    browser.cookies["csrftoken"] = csrf
    granted = json.loads(browser.post("/api/ws-token/", headers={"X-CSRFToken": csrf}).content)
    with WebSocketTestClient(token=granted["token"], channel="general") as red:
        assert (red.session.channel_name, red.session.user.get_username()) == ("general", "red")
        red.send_json({"action": "chat_message", "message": "Hello"})
        assert red.receive_json() == OK


def test_what_a_session_stores(enter: Enter, ws_gateway: InProcessGateway) -> None:
    ApiGateway("chat", api_id=ws_gateway.core.api.api_id).save()
    gateways.forget()
    red = enter("general")
    red.send_json({"action": "chat_message"})
    session = WebSocketSession.objects.get(connection_id=red.connection_id)
    assert (session.channel_name, session.connected, session.request_count) == ("general", True, 1)
    assert (session.user.get_username(), str(session.api_gateway)) == ("red", "chat")
    assert session.connected_at <= session.last_seen_at
    red.disconnect()
    closed = WebSocketSession.objects.get(connection_id=red.connection_id)
    assert not closed.connected
    assert closed.disconnected_at is not None
