"""The events of the test kit: those of API Gateway, key by key, and what the function makes of them."""

from datetime import datetime

import pytest

from tests.golden import golden
from ws_lambda import clock
from ws_lambda.events import GatewayEvent
from ws_lambda.models import WebSocketSession
from ws_lambda.testing import (
    InProcessGateway,
    WebSocketTestClient,
    connect_event,
    disconnect_event,
    invoke,
    message_event,
    mint_token,
)

NO_BROWSER = {"sourceIp": "203.0.113.9"}
"""The identity of a client that sent no User-Agent."""


def keys(value, path=""):
    """The path of every key in an event. Names of query parameters count as one key."""
    if not isinstance(value, dict) or path.lower().endswith("querystringparameters"):
        return {path}
    return {found for name, one in value.items() for found in keys(one, f"{path}.{name}")}


@pytest.mark.parametrize(
    ("case", "event"),
    [
        ("connect", lambda: connect_event(channel="general")),
        ("connect_without_query", connect_event),
        (
            "connect_with_subprotocols",
            lambda: connect_event(subprotocols=("chat.v1",), cookies={"k": "v"}, query={"tag": "a"}),
        ),
        ("connect_custom_domain", lambda: connect_event(domainName="ws.example.com")),
        ("connect_with_authorizer", lambda: connect_event(authorizer=golden_authorizer())),
        ("message", lambda: message_event({"action": "chat"})),
        ("message_custom_route", lambda: message_event("{}", routeKey="chat", identity=NO_BROWSER)),
        ("disconnect_client", disconnect_event),
        ("disconnect_idle", lambda: disconnect_event(code=1001, reason="Going away", identity=NO_BROWSER)),
    ],
)
def test_events_have_the_keys_of_captured_ones(case, event):
    assert keys(event()) == keys(golden(case))


def golden_authorizer():
    return golden("connect_with_authorizer")["requestContext"]["authorizer"]


def test_a_connect():
    event = connect_event(
        "A=", token="t", channel="general", query={"x": "ä b"}, headers={"User-Agent": "me"}, cookies={"k": "v"},
        subprotocols=("chat.v1", "chat.v2"), origin="https://www.example.com", source_ip="198.51.100.1",
    )  # fmt: skip
    assert event["queryStringParameters"] == {"ws_token": "t", "channel": "general", "x": "ä b"}
    assert event["multiValueQueryStringParameters"]["x"] == ["ä b"]
    assert event["headers"]["Cookie"] == "k=v"
    assert event["headers"]["Sec-WebSocket-Protocol"] == "chat.v1, chat.v2"
    assert event["headers"]["Origin"] == "https://www.example.com"
    assert event["headers"]["X-Forwarded-For"] == "198.51.100.1"
    read = GatewayEvent.from_lambda(event)
    assert (read.route_key, read.connection_id, read.source_ip, read.user_agent) == (
        "$connect", "A=", "198.51.100.1", "me",
    )  # fmt: skip


def test_the_page_is_the_gateways_own_unless_another_is_named():
    assert connect_event()["headers"]["Origin"] == "https://test.execute-api.eu-west-1.amazonaws.com"
    assert connect_event(domainName="ws.example.com")["headers"]["Origin"] == "https://ws.example.com"
    assert "Origin" not in connect_event(origin=None)["headers"]


def test_the_host_is_the_domain_that_was_connected_to():
    event = connect_event(domainName="ws.example.com")
    assert event["headers"]["Host"] == event["requestContext"]["domainName"] == "ws.example.com"


def test_a_message_is_sent_as_it_is_or_as_json():
    assert message_event('{"a":1}')["body"] == '{"a":1}'
    assert message_event({"a": 1})["body"] == '{"a": 1}'


def test_each_message_has_an_id_of_its_own_unless_one_is_given():
    assert message_event("")["requestContext"]["messageId"] != message_event("")["requestContext"]["messageId"]
    assert message_event("", messageId="m")["requestContext"]["messageId"] == "m"


def test_any_value_of_the_request_context_can_be_replaced():
    for event in (connect_event("A=", stage="s", apiId="a"), message_event("", "A=", stage="s", apiId="a")):
        assert event["requestContext"].items() >= {"connectionId": "A=", "stage": "s", "apiId": "a"}.items()
    context = disconnect_event("A=", code=1001, reason="Going away", requestId="r")["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1001, "Going away")
    assert context["requestId"] == "r"


def test_the_api_is_one_that_the_settings_accept(settings):
    settings.WS_LAMBDA = {"GATEWAY_IDS": ["def456", "abc123"]}
    assert connect_event()["requestContext"]["apiId"] == "abc123"


def test_times_are_those_of_the_packages_clock(still):
    context = connect_event()["requestContext"]
    assert context["connectedAt"] == context["requestTimeEpoch"] == int(clock.now() * 1000)
    assert datetime.strptime(context["requestTime"], "%d/%b/%Y:%H:%M:%S %z").timestamp() == int(still)


def test_a_connection_from_its_first_event_to_its_last(user):
    assert invoke(connect_event("A=", token=mint_token(user), channel="general"))["statusCode"] == 200
    session = WebSocketSession.get("A=")
    assert (session.connected, session.user_id, session.channel_name) == (True, str(user.pk), "general")
    assert invoke(message_event({"action": "ask"}, "A=")) == {"statusCode": 200, "body": '{"asked": "ask"}'}
    assert invoke(disconnect_event("A="))["statusCode"] == 200
    assert not WebSocketSession.get("A=").connected


def test_an_event_reaches_the_connection_of_a_client(user):
    with InProcessGateway(), WebSocketTestClient(user=user) as ws:
        assert invoke(message_event({"action": "ask"}, ws.connection_id))["statusCode"] == 200
        assert ws.session.request_count == 1
