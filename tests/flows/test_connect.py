"""docs/contract.md 13–20, and what each round trip costs."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from tests import backends
from tests.flows.conftest import refusals, status
from tests.urls import ChatView
from ws_lambda import clock, process_state
from ws_lambda.models import ApiGateway, ChannelMembership, WebSocketSession, WebSocketToken, gateways
from ws_lambda.process_state import Occasion
from ws_lambda.tables.tokens import digest
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event, mint_token
from ws_lambda.testing.gateway_events import DOMAIN_NAME

pytestmark = pytest.mark.usefixtures("ws_tables", "still")


def session(connection_id="C1="):
    return WebSocketSession.get(connection_id, consistent_read=True)


def unspent(token):
    return WebSocketToken.count(digest(token)) == 1


def test_13_a_valid_connect_opens_a_session(user, ws_requests):
    token = mint_token(user, session_key="login-1")
    ws_requests.clear()
    response = invoke(connect_event(token=token, channel="general"))
    assert response == {"statusCode": 200, "body": "{}"}
    # The third round trip, the read of the user's record, is made by the auth backend.
    assert ws_requests == ["Scan", "BatchGetItem", "Scan", "TransactWriteItems"], "both scans are cached by the process"
    opened = session()
    assert (opened.channel_name, opened.channels, opened.user_id) == ("general", {"general"}, "7")
    assert (opened.api_id, opened.connected, opened.request_count) == ("test", True, 0)
    assert opened.endpoint_url == f"https://{DOMAIN_NAME}/test"
    assert opened.source_ip == "203.0.113.9"
    assert opened.login_id == digest("login-1")
    assert opened.connect_path == "/ws/connect"
    assert opened.auth_hash == user.get_session_auth_hash()
    assert opened.connected_at == opened.last_seen_at
    assert [row.connection_id for row in ChannelMembership.query("general")] == ["C1="]
    assert not unspent(token)


def test_a_second_connect_costs_three_round_trips(user, ws_requests):
    invoke(connect_event(token=mint_token(user), channel="general"))
    token = mint_token(user)
    ws_requests.clear()
    backends.DictBackend.reads = 0
    assert status(invoke(connect_event("C2=", token=token, channel="general"))) == 200
    assert (ws_requests, backends.DictBackend.reads) == (["BatchGetItem", "TransactWriteItems"], 1)


def test_a_refusal_costs_one_update(user, ws_requests):
    invoke(connect_event(token=mint_token(user)))
    ws_requests.clear()
    assert status(invoke(connect_event("C2=", channel="a b"))) == 400
    assert ws_requests == ["UpdateItem"]
    ws_requests.clear()
    assert status(invoke(connect_event("C2=", origin="https://evil.example"))) == 403
    assert ws_requests == [], "a refused origin counts against nobody"


@pytest.mark.parametrize("wrong", ["bad id<script>", "a" * 129, "has/slash", "C1=\n", ""])
def test_14_connection_ids_that_no_gateway_makes(user, wrong):
    token = mint_token(user)
    assert status(invoke(connect_event(wrong, token=token))) == 400
    assert unspent(token)


def test_14_every_character_that_an_id_may_have(user):
    assert status(invoke(connect_event("abcABC123_=-", token=mint_token(user)))) == 200


@pytest.mark.parametrize("channel", ["a b", "a;b", "room\n", "a" * 129, "", "a#0", "a*"])
def test_16_invalid_channel_names(user, channel):
    token = mint_token(user)
    code, said = decode_answer(invoke(connect_event(token=token, channel=channel)))
    assert (code, said["message"]) == (400, "Invalid channel")
    assert unspent(token)


def test_16_the_querys_channel_beats_the_gateways_and_neither_is_none(user):
    assert status(invoke(connect_event("C0=", token=mint_token(user)))) == 200
    assert (session("C0=").channel_name, session("C0=").channels) == ("", None)
    ApiGateway("chat", api_id="test", default_channel_name="lobby").save()
    gateways.forget()
    invoke(connect_event("C1=", token=mint_token(user)))
    invoke(connect_event("C2=", token=mint_token(user), channel="general"))
    assert (session("C1=").channel_name, session("C2=").channel_name) == ("lobby", "general")


@pytest.mark.parametrize("token", ["", "abc", "0" * 64, "Z" * 64, "0" * 65, "é" * 64])
def test_17_no_token_of_ours(token):
    assert status(invoke(connect_event(token=token))) == 401


def test_17_a_used_token(user):
    token = mint_token(user)
    assert status(invoke(connect_event(token=token))) == 200
    assert status(invoke(connect_event("C2=", token=token))) == 401


def test_17_an_expired_token(user, monkeypatch):
    token = mint_token(user)
    later = clock.now() + 90
    monkeypatch.setattr(clock, "now", lambda: later)
    assert status(invoke(connect_event(token=token))) == 401


def test_17_a_token_for_one_channel(user):
    token = mint_token(user, channel="general")
    assert status(invoke(connect_event(token=token, channel="other"))) == 403
    assert unspent(token)
    assert status(invoke(connect_event(token=token, channel="general"))) == 200


def test_17_a_cookie_of_the_same_login_is_welcome_and_of_another_is_not(user):
    token = mint_token(user, session_key="mine")
    assert status(invoke(connect_event(token=token, headers={"Cookie": "sessionid=another"}))) == 401
    assert unspent(token)
    assert status(invoke(connect_event(token=token, headers={"Cookie": "sessionid=mine"}))) == 200


def test_18_the_token_as_a_subprotocol(user):
    offered = {"Sec-WebSocket-Protocol": f"chat.v2, ws-token.{mint_token(user)}, chat.v1"}
    response = invoke(connect_event(headers=offered))
    assert response["headers"] == {"Sec-WebSocket-Protocol": "chat.v2"}


def test_18_of_several_subprotocols_a_supported_one(user, use_view):
    class Picky(ChatView):
        SUBPROTOCOLS = ("chat.v1",)

    use_view(Picky)
    response = invoke(connect_event(subprotocols=("chat.v2", "chat.v1", f"ws-token.{mint_token(user)}")))
    assert response["headers"] == {"Sec-WebSocket-Protocol": "chat.v1"}
    response = invoke(connect_event("C2=", headers={"Sec-WebSocket-Protocol": f"ws-token.{mint_token(user)}"}))
    assert "headers" not in response


def test_18_two_different_tokens(user):
    first, second = mint_token(user), mint_token(user)
    offered = {"Sec-WebSocket-Protocol": f"chat, ws-token.{first}"}
    assert status(invoke(connect_event(token=second, headers=offered))) == 401
    assert status(invoke(connect_event(token=first, headers=offered))) == 200


def test_20_the_same_connection_again(user):
    invoke(connect_event(token=mint_token(user), channel="general"))
    first = session().serialize()
    token = mint_token(user)
    assert status(invoke(connect_event(token=token, channel="other"))) == 409
    assert unspent(token)
    assert session().serialize() == first


@pytest.mark.parametrize(
    ("raised", "code", "counted"), [(PermissionDenied, 403, 1), (Http404, 404, 0), (RuntimeError, 500, 0)]
)
def test_an_exception_of_a_hook_refuses(user, use_view, raised, code, counted):
    class Raising(ChatView):
        def additional_connection_checks(self, request):
            raise raised

    use_view(Raising)
    token = mint_token(user)
    assert status(invoke(connect_event(token=token))) == code
    assert (refusals(), unspent(token)) == (counted, True)


def test_additional_checks_and_permissions_leave_the_token_unspent(user, use_view):
    class Closed(ChatView):
        def additional_connection_checks(self, request):
            return request.user.username == "nobody", "Come back tomorrow"

    class Permitted(ChatView):
        permissions_required = ("chat.enter",)

    class Later(Permitted):
        CHECK_PERMISSIONS_ON_CONNECT = False

    token = mint_token(user)
    use_view(Closed)
    code, said = decode_answer(invoke(connect_event(token=token)))
    assert (code, said["message"]) == (403, "Come back tomorrow")
    use_view(Permitted)
    assert status(invoke(connect_event(token=token))) == 403
    assert unspent(token)
    use_view(Later)
    assert status(invoke(connect_event(token=token))) == 200


def test_without_tokens_the_cookie_names_the_user(user, use_view):
    from importlib import import_module

    from django.conf import settings

    class Cookies(ChatView):
        USE_WS_TOKEN = False

    login = import_module(settings.SESSION_ENGINE).SessionStore()
    login["_auth_user_id"], login["_auth_user_backend"] = "7", backends.PATH
    login["_auth_user_hash"] = user.get_session_auth_hash()
    login.save()
    use_view(Cookies)
    assert status(invoke(connect_event(headers={"Cookie": f"sessionid={login.session_key}"}))) == 200
    assert (session().user_id, session().login_id) == ("7", digest(login.session_key))
    assert status(invoke(connect_event("C2="))) == 200
    assert session("C2=").user_id is None


@pytest.mark.usefixtures("everyone_open")
def test_without_tokens_a_user_known_by_something_else_than_a_login_stays_known(user, use_view, monkeypatch):
    class Known(ChatView):
        USE_WS_TOKEN = False

        def connect(self, request, *args, **kwargs):
            request.user = user  # as a middleware of the project does, by a header
            return super().connect(request, *args, **kwargs)

        def who(self, request, *args, **kwargs):
            return {"user": request.user.username}

    use_view(Known)
    assert status(invoke(connect_event())) == 200
    assert decode_answer(invoke(message_event({"action": "who"}))) == (200, {"user": "user7"})
    later = clock.now() + 61
    monkeypatch.setattr(clock, "now", lambda: later)
    assert decode_answer(invoke(message_event({"action": "who"}))) == (200, {"user": "user7"})
    user.set_password("another")
    monkeypatch.setattr(clock, "now", lambda: later + 61)
    assert status(invoke(message_event({"action": "who"}))) == 400


def test_a_subclass_extends_connect(user, use_view):
    seen = []

    class Greeting(ChatView):
        def connect(self, request, *args, **kwargs):
            response = super().connect(request, *args, **kwargs)
            seen.append((self.websocket_session.connection_id, request.user.username))
            return response

    use_view(Greeting)
    invoke(connect_event())
    invoke(connect_event(token=mint_token(user)))
    assert seen == [("C1=", "user7")]


def interrupting(get_response):
    """What Django's SessionMiddleware does after the view where the session was deleted meanwhile."""

    def middleware(request):
        get_response(request)
        raise PermissionDenied

    return middleware


def test_a_refusal_of_a_middleware_after_the_view_leaves_no_open_session(user, settings):
    """API Gateway opens no such connection, and sends no `$disconnect` of it."""
    settings.MIDDLEWARE = [f"{__name__}.interrupting", *settings.MIDDLEWARE]
    process_state.forget(Occasion.SETTINGS)
    try:
        assert status(invoke(connect_event(token=mint_token(user), channel="general"))) == 403
    finally:
        process_state.forget(Occasion.SETTINGS)
    assert not session().connected
    assert not list(ChannelMembership.scan())
