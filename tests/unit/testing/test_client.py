"""The client that users' tests are written with."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from ws_lambda.models import WebSocketSession
from ws_lambda.testing import ConnectRefused, WebSocketTestClient


def test_a_room(ws_client, user):
    first, second = ws_client(user=user, channel="general"), ws_client(user=user, channel="general")
    elsewhere = ws_client(user=user, channel="other")
    first.send_json({"action": "say", "text": "hi"})
    assert {"said": "hi"} in first.receive_all()
    assert second.receive_json() == {"said": "hi"}
    second.expect_nothing()
    elsewhere.expect_nothing()


def test_the_session_is_the_users(ws_client, user):
    ws = ws_client(user=user, channel="general")
    assert (ws.session.user_id, ws.session.channel_name) == (str(user.pk), "general")
    assert ws.session.api_id == "test"


def test_nothing_received_says_what_the_function_said(ws_client, user):
    ws = ws_client(user=user)
    with pytest.raises(AssertionError, match=r"nothing was received; .* to \$connect, was 200"):
        ws.receive_json()


def test_expect_nothing_names_what_came(ws_client, user):
    ws = ws_client(user=user)
    ws.send_json({"action": "ask"})
    with pytest.raises(AssertionError, match="asked"):
        ws.expect_nothing()


def test_a_refusal_has_the_functions_status_and_word(ws_client):
    with pytest.raises(ConnectRefused, match="token is needed") as refused:
        ws_client(token="0" * 64)
    assert refused.value.status == 401


def test_headers_reach_the_function(ws_client, user):
    with pytest.raises(ConnectRefused) as refused:
        ws_client(user=user, origin="https://evil.example")
    assert refused.value.status == 403


def test_a_client_that_is_no_browser_sends_no_origin(ws_gateway, user):
    with pytest.raises(ConnectRefused):
        WebSocketTestClient(user=user, origin=None, headers={"X-Own": "1"}).connect()
    assert "Origin" not in ws_gateway.events[-1]["headers"]
    assert ws_gateway.events[-1]["headers"]["X-Own"] == "1"


def test_cookies_are_sent(ws_gateway, user):
    with pytest.raises(ConnectRefused):
        WebSocketTestClient(user=user, cookies={"sessionid": "another", "x": "y"}).connect()
    assert ws_gateway.events[-1]["headers"]["Cookie"] == "sessionid=another; x=y"


def test_a_subprotocol_is_chosen_by_the_function(ws_client, user):
    assert ws_client(user=user, subprotocols=("chat.v1",)).subprotocol == "chat.v1"
    assert ws_client(user=user).subprotocol is None


def test_disconnect_reaches_the_function(ws_client, ws_gateway, user):
    ws = ws_client(user=user)
    ws.disconnect(4001, "bye")
    assert not ws.connected
    assert ws.session.connected is False
    context = ws_gateway.events[-1]["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (4001, "bye")
    with pytest.raises(ConnectionError):
        ws.send_json({})


def test_a_client_that_vanishes(ws_client, ws_gateway, user):
    ws = ws_client(user=user)
    ws.vanish()
    assert ws_gateway.events[-1]["requestContext"]["disconnectStatusCode"] == 1006


def test_the_service_closes(ws_client, user):
    ws = ws_client(user=user)
    ws.send_json({"action": "leave_me"})
    assert (ws.connected, ws.close_code, ws.close_reason) == (False, 1000, "Connection Closed Normally")
    assert ws.session.connected is False


@pytest.mark.parametrize(
    ("send", "code"),
    [
        (lambda ws: ws.send_text("x" * 32_769), 1009),
        (lambda ws: ws.send_fragments(*["x" * 32_768] * 4, "x"), 1009),
        (lambda ws: ws.send_bytes(b"x"), 1003),
    ],
)
def test_what_the_service_does_not_take(ws_client, user, send, code):
    ws = ws_client(user=user)
    send(ws)
    assert (ws.connected, ws.close_code) == (False, code)


def test_a_message_in_fragments_is_one_message(ws_client, user):
    ws = ws_client(user=user)
    ws.send_fragments('{"action": ', '"ask"}')
    assert ws.receive_json() == {"asked": "ask"}


def test_a_handler_that_raises_makes_an_error_frame(ws_client, user, caplog):
    ws = ws_client(user=user)
    ws.send_json({"action": "fail"})
    assert ws.receive_json()["message"] == "Internal server error"
    assert ws.connected


def test_it_connects_again_with_a_new_token(ws_client, user):
    ws = ws_client(user=user)
    first = ws.connection_id
    with pytest.raises(RuntimeError, match="already connected"):
        ws.connect()
    ws.disconnect()
    assert ws.connect().connection_id != first


def test_the_login_of_an_http_client_ends_with_its_logout(ws_client, user):
    http = Client()
    http.force_login(user)
    mine, others = ws_client(http=http), ws_client(user=user)
    http.logout()
    assert (mine.connected, others.connected) == (False, True)


def test_an_http_client_must_be_logged_in(ws_client):
    with pytest.raises(ValueError, match="not logged in"):
        ws_client(http=Client())


def test_a_new_password_makes_a_new_login(ws_client, user):
    ws_client(user=user)
    user.set_password("other")
    user.save()
    assert ws_client(user=user).connected


def test_clients_need_a_gateway():
    with pytest.raises(RuntimeError, match="ws_client"):
        WebSocketTestClient()


def test_a_client_that_has_not_connected_has_no_id(ws_gateway):
    with pytest.raises(RuntimeError, match="not connected"):
        _ = WebSocketTestClient().connection_id


def test_clients_disconnect_at_the_end_of_a_with_block(ws_gateway, user):
    with WebSocketTestClient(user=user) as ws:
        assert ws_gateway.connections == [ws.connection_id]
    assert ws_gateway.connections == []


def test_tables_are_empty_at_first(ws_tables):
    assert list(WebSocketSession.scan()) == []
    assert not get_user_model().objects.filter(username="alice").exists()
