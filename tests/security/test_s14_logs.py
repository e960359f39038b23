"""S14, S4: logs carry ids, never bodies, tokens or secrets. What a whole run logs is scanned."""

import logging

import pytest
from django.core import mail
from django.test import Client

from tests.golden import golden
from tests.secrecy import Heard
from tests.urls import ChatView
from ws_lambda import process_state
from ws_lambda.events import GatewayEvent
from ws_lambda.process_state import Occasion
from ws_lambda.testing import connect_event, disconnect_event, invoke, message_event, mint_token
from ws_lambda.views import WebSocketView

SECRET = "the-secret-of-the-gateway-not-for-logs"
BODY = "what-a-person-wrote-to-another"
GUESS = "somebody-guesses-the-secret"


class Loud(ChatView):
    def explode(self, request, *args, **kwargs):
        raise RuntimeError("wrong")


@pytest.mark.usefixtures("ws_tables")
def test_a_run_of_everything(user, use_view, settings, caplog):
    caplog.set_level(logging.DEBUG)
    use_view(Loud)
    settings.WS_LAMBDA = {"GATEWAY_SECRET": SECRET, "REFUSALS_PER_MINUTE": 5}
    tokens = [mint_token(user, session_key=f"login-{n}-of-this-test") for n in range(3)]
    invoke(connect_event("A=", token=tokens[0], channel="general"))
    invoke(connect_event("B=", token=tokens[0]))
    offered = "chat", f"ws-token.{tokens[1]}"
    invoke(connect_event("C=", subprotocols=offered, cookies={"sessionid": "cookie-1"}))
    invoke(connect_event("D=", token=tokens[2], origin="https://evil.example"))
    for _ in range(6):
        invoke(connect_event("E=", token="f" * 64))
    for body in ({"action": "chat", "message": BODY}, {"action": "explode", "message": BODY}, f'"{BODY}', f"[{BODY}"):
        invoke(message_event(body, "A="))
    Client().post("/ws/default", BODY, content_type="text/plain", headers={"X-Ws-Gateway-Secret": GUESS})
    Client().post(
        f"/ws/default?ws_token={tokens[2]}", BODY, content_type="text/plain",
        headers={"X-Ws-Gateway-Secret": SECRET, "connectionId": "A=", "X-Ws-Api-Id": "test"},
    )  # fmt: skip
    invoke(disconnect_event("A="))
    # PynamoDB's and botocore's own DEBUG records print whole requests; nobody turns those on in production.
    ours = [record for record in caplog.records if not record.name.startswith(("botocore", "pynamodb", "moto"))]
    text = "\n".join(logging.Formatter().format(record) + str(vars(record)) for record in ours)
    assert "Loud refused $connect: OriginRefused" in text
    assert "Loud refused a request that is not from the gateway: UntrustedRequest" in text
    assert "Loud.explode raised RuntimeError" in text
    login_keys = [f"login-{n}-of-this-test" for n in range(3)]
    leaked = [what for what in (*tokens, *login_keys, "f" * 64, "cookie-1", SECRET, GUESS, BODY) if what in text]
    assert leaked == []


class WithoutDefault(WebSocketView):
    def chat(self, request, *args, **kwargs):
        return {}


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("debug", [False, True])
def test_an_unknown_action_is_named_only_with_debug(user, use_view, settings, caplog, debug):
    use_view(WithoutDefault)
    invoke(connect_event("A=", token=mint_token(user)))
    settings.DEBUG = debug
    for action in ("ping", "one\nline, " + "x" * 100, {"deep": "ping"}):
        invoke(message_event({"action": action}, "A="))
    logged = [record.getMessage() for record in caplog.records if record.name == "ws_lambda"]
    assert logged == [
        f"WithoutDefault refused $default: InvalidRequest{named if debug else ''}"
        for named in (" (action 'ping')", f" (action 'one\\nline, {'x' * 54}')", "")
    ]


class Broken(ChatView):
    def additional_connection_checks(self, request):
        raise RuntimeError("wrong")


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("how", ["query", "subprotocol", "middleware"])
def test_a_connect_that_fails_is_mailed_once_and_without_its_token(user, use_view, admins, settings, how):
    use_view(Broken)
    if how == "middleware":
        settings.MIDDLEWARE = [f"{__name__}.breaking"]
    process_state.forget(Occasion.SETTINGS)
    token = mint_token(user)
    for number in range(3):
        if how == "query":
            answer = invoke(connect_event(f"A{number}=", token=token))
        else:
            answer = invoke(connect_event(f"A{number}=", headers={"Sec-WebSocket-Protocol": f"chat, ws-token.{token}"}))
        assert answer["statusCode"] == 500
    process_state.forget(Occasion.SETTINGS)
    assert len(mail.outbox) == (3 if how == "middleware" else 1)
    assert not [one.subject for one in mail.outbox if token in one.body + str(one.alternatives)]


def breaking(get_response):
    def middleware(request):
        raise RuntimeError("wrong")

    return middleware


def test_an_event_does_not_print_what_it_carries():
    event = GatewayEvent.from_lambda(golden("connect_with_subprotocols") | {"body": BODY})
    assert BODY not in repr(event) and "ws-token" not in repr(event)


def test_the_local_gateway_does_not_print_the_subprotocols_that_it_is_offered():
    import ws_lambda.local.server  # noqa: F401 - quietens aiohttp

    assert not logging.getLogger("aiohttp.websocket").isEnabledFor(logging.WARNING)


@pytest.mark.parametrize("kind", ["tokens", "secrets", "bodies"])
def test_the_scan_of_the_whole_run_finds_what_is_logged(kind):
    heard = Heard()
    getattr(heard, kind).add("what nobody should read")
    assert heard.leaks("it says: what nobody should read!")
    assert not heard.leaks("it says nothing")


@pytest.mark.usefixtures("ws_tables")
def test_and_hears_of_everything_confidential(user, nothing_confidential_in_the_logs, settings):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": SECRET}
    token = mint_token(user, session_key="login-of-this-test")
    invoke(connect_event("A=", token=token))
    invoke(message_event({"action": "chat", "deep": [{"message": BODY}]}, "A="))
    Client().post("/ws/default", headers={"X-Ws-Gateway-Secret": GUESS})
    heard = nothing_confidential_in_the_logs
    assert token in heard.tokens
    assert {"login-of-this-test", SECRET, GUESS} <= heard.secrets
    assert BODY in heard.bodies
