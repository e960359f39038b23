"""S4: nobody but its owner can read a token. S14 scans the logs."""

import json

import pytest
from django.test import Client, RequestFactory

from tests.golden import golden
from tests.security.test_s05_minting import client_of
from tests.urls import ChatView
from ws_lambda.adapter import GatewayRequest
from ws_lambda.events import GatewayEvent
from ws_lambda.gatekeeping.tokens import token_of
from ws_lambda.local.redact import redacted
from ws_lambda.models import WebSocketSession
from ws_lambda.provisioning.access_log import ACCESS_LOG_FORMAT
from ws_lambda.testing import connect_event, invoke, mint_token

TOKEN = "a1" * 32


def event_with(token):
    event = golden("connect", connectionId="C1=")
    event["headers"] |= {"Sec-WebSocket-Protocol": f"chat, ws-token.{token}", "Cookie": "sessionid=a-session-key"}
    event["queryStringParameters"] = {"ws_token": token}
    event["multiValueQueryStringParameters"] = {"ws_token": [token]}
    return event


@pytest.mark.usefixtures("ws_tables")
def test_the_subprotocol_carries_it_and_only_the_applications_own_comes_back(user):
    token = mint_token(user)
    response = invoke(connect_event(headers={"Sec-WebSocket-Protocol": f"ws-token.{token},chat.v1"}))
    assert response == {"statusCode": 200, "body": "{}", "headers": {"Sec-WebSocket-Protocol": "chat.v1"}}


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("supported", [(), ("chat.v1",)])
@pytest.mark.parametrize("spelled", ["ws-token.{}", "WS-Token.{}", " ws-token.{} ", "ws-token.{}, ws-token.{}"])
def test_no_spelling_of_it_is_echoed(user, use_view, supported, spelled):
    use_view(type("Picky", (ChatView,), {"SUBPROTOCOLS": supported}))
    token = mint_token(user)
    response = invoke(connect_event(token=token, headers={"Sec-WebSocket-Protocol": spelled.replace("{}", token)}))
    assert response == {"statusCode": 200, "body": "{}"}


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("odd", ["chat v1", "chät", "chat;v=1", 'chat"', "chat\tv1"])
def test_an_invalid_subprotocol_is_not_echoed(user, odd):
    response = invoke(connect_event(token=mint_token(user), headers={"Sec-WebSocket-Protocol": f"{odd}, chat.v1"}))
    assert response["headers"] == {"Sec-WebSocket-Protocol": "chat.v1"}


@pytest.mark.usefixtures("ws_tables")
def test_no_answer_and_no_record_has_it(user):
    token = mint_token(user)
    wrong = invoke(connect_event(token=token, channel="a b"))
    assert token not in json.dumps(wrong)
    assert invoke(connect_event(token=token))["statusCode"] == 200
    assert token not in str([row.serialize() for row in WebSocketSession.scan()])


@pytest.mark.usefixtures("ws_tables", "still")
def test_the_page_that_mints_it_is_kept_by_no_cache_and_names_it_once(user):
    response = client_of(user).post("/api/ws-token/")
    assert response["Cache-Control"] == "no-store"
    assert response.json()["token"] not in response.json()["url"]
    refused = Client().post("/api/ws-token/")
    assert "token" not in refused.json()


def test_printing_an_event_or_its_request_does_not_show_it():
    event = GatewayEvent.from_lambda(event_with(TOKEN))
    assert token_of(event) == TOKEN
    for printed in (repr(event), str(event), repr(GatewayRequest(event, "/ws/connect"))):
        assert "C1=" in printed
        for secret in (TOKEN, "a-session-key"):
            assert secret not in printed


def test_nor_do_events_of_http_mode():
    request = RequestFactory().post("/ws/connect", headers={"connectionId": "C1=", "X-Ws-Api-Id": "abc123"})
    event = GatewayEvent.from_http(
        dict(request.headers), slug="connect", query=[("ws_token", TOKEN)], body=b"a message"
    )
    assert TOKEN not in repr(event)
    assert "a message" not in repr(event)


def test_the_access_log_of_a_stage_has_no_place_for_it():
    for value in ACCESS_LOG_FORMAT.values():
        assert value.startswith("$context.")
        assert not {"querystring", "header", "path", "body", "authorizer"} & set(value.lower().split("."))


def test_the_local_gateways_page_hides_it():
    shown = json.dumps(redacted(event_with(TOKEN)))
    assert TOKEN not in shown
    assert "a-session-key" not in shown
    assert "(hidden)" in shown
