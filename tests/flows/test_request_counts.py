"""How many requests each event makes: real users, a registered and pinned gateway, permissions and limits."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tests.urls import ChatView
from ws_lambda import clock
from ws_lambda.models import ApiGateway, ChannelPermission, WebSocketSession, channel_permissions, gateways, stats
from ws_lambda.testing import connect_event, disconnect_event, invoke, message_event
from ws_lambda.testing.gateway_events import DOMAIN_NAME

pytestmark = pytest.mark.usefixtures("ws_tables", "still")

CONNECT = ["BatchGetItem", "GetItem", "TransactWriteItems"]
MESSAGE = ["UpdateItem"]
DISCONNECT = ["UpdateItem", "TransactWriteItems"]


class Guarded(ChatView):
    aws_api_gateway_id = "chat"
    permissions_required = ("chat.enter",)

    def chat(self, request, *args, **kwargs):
        return {"channel": self.websocket_session.channel_name}


@pytest.fixture
def http(settings, use_view):
    """A page of a user who may, and everything that is asked of him."""
    settings.WS_LAMBDA = {
        "GATEWAY_IDS": ["abc123"],
        "HISTORY": {"*": (50, 3600)},
        "CHANNEL_SHARDS": {"gen*": 3},
        "UNLISTED_CHANNELS": "nobody",
        "GATEWAY_SECRET": "s" * 32,
    }
    use_view(Guarded)
    ApiGateway("chat", api_id="abc123", api_endpoint=f"wss://{DOMAIN_NAME}", stage_name="prod").save()
    gateways.forget()
    ChannelPermission("gen*", access="permissions", rules=[["chat.enter", "chat.speak"]]).save()
    get_user_model().objects.create_user("ann", password="pw", permission_names={"chat.enter", "chat.speak"})
    page = Client()
    assert page.login(username="ann", password="pw")
    return page


def connect(http, connection_id):
    token = http.post("/api/ws-token/").json()["token"]
    invoke(connect_event("warm="))  # refused, but now the process knows the gateways
    return connect_event(connection_id, token=token, channel="general")


def cost(requests, event):
    requests.clear()
    assert invoke(event)["statusCode"] == 200
    return list(requests)


def test_connect_message_and_disconnect(http, ws_requests, monkeypatch):
    invoke(connect(http, "first="))  # reads the permissions
    assert cost(ws_requests, connect(http, "C1=")) == CONNECT
    # The user is read for `permissions_required`; a view without it reads none.
    assert cost(ws_requests, message_event({"action": "chat"})) == [*MESSAGE, "GetItem"]
    monkeypatch.setattr(Guarded, "permissions_required", ())
    assert cost(ws_requests, message_event({"action": "chat"})) == MESSAGE
    assert cost(ws_requests, disconnect_event()) == DISCONNECT
    assert not WebSocketSession.get("C1=").connected


def test_revalidation_costs_the_user_and_one_batch_once_in_an_interval(http, ws_requests, monkeypatch):
    invoke(connect(http, "C1="))
    later = clock.now() + 61
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setattr(Guarded, "permissions_required", ())
    gateways.registered()  # known anew: the copies have aged
    channel_permissions.permission_for("general")
    stats.forget()  # the overview's figures, a write in ten seconds of a process
    assert cost(ws_requests, message_event({"action": "chat"})) == [*MESSAGE, "GetItem", "BatchGetItem"]
    assert cost(ws_requests, message_event({"action": "chat"})) == MESSAGE


def test_a_change_of_permissions_costs_the_next_connect_of_a_process_one_scan(http, ws_requests):
    invoke(connect(http, "C1="))
    ChannelPermission("other", access="allow_all").save()
    assert cost(ws_requests, connect(http, "C2=")) == ["BatchGetItem", "GetItem", "Scan", "TransactWriteItems"]
    assert cost(ws_requests, connect(http, "C3=")) == CONNECT
