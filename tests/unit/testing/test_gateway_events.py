"""The events of the test kit: those of API Gateway, value by value, and what the function makes of them."""

import re
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

CAPTURED_ID = "BFHPhfCWIAMCKlQ="
"""A connection id as API Gateway makes them. The test kit's own is shorter."""

EXACT = {
    "X-Forwarded-Proto", "X-Forwarded-Port", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions",
    "routeKey", "eventType", "messageDirection", "isBase64Encoded",
}  # fmt: skip
"""Keys whose values do not depend on the client or the time."""

FORMS = {
    "an id": r"[A-Za-z0-9_-]{15}=",
    "a time": r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000",
    "a trace": r"Root=1-[0-9a-f]{8}-[0-9a-f]+",
    "an address": r"\d+\.\d+\.\d+\.\d+",
    "a domain": r"[a-z0-9]+(\.[a-z0-9-]+)*\.(amazonaws|example)\.com",
    "nothing": "",
}
"""Forms of texts, as regular expressions."""


def forms(value, path=""):
    """The form of every value in an event, by the path of its key."""
    if isinstance(value, dict):
        return {at: form for name, one in value.items() for at, form in forms(one, f"{path}.{name}").items()}
    if isinstance(value, list):
        return {at: form for number, one in enumerate(value) for at, form in forms(one, f"{path}.{number}").items()}
    return {path: value if EXACT & set(path.split(".")) else form_of(value)}


def form_of(value):
    if isinstance(value, str):
        return next((name for name, pattern in FORMS.items() if re.fullmatch(pattern, value)), "a text")
    return f"a number of {len(str(value))} digits" if type(value) is int else value


CASES = [
    ("connect", lambda: connect_event(CAPTURED_ID, channel="general")),
    ("connect_without_query", lambda: connect_event(CAPTURED_ID)),
    ("connect_without_user_agent", lambda: connect_event(CAPTURED_ID, headers={"user-agent": None})),
    (
        "connect_with_subprotocols",
        lambda: connect_event(CAPTURED_ID, subprotocols=("chat.v1",), cookies={"k": "v"}, query={"tag": ["a", "b"]}),
    ),
    ("connect_custom_domain", lambda: connect_event(CAPTURED_ID, domainName="ws.example.com")),
    ("connect_with_authorizer", lambda: connect_event(CAPTURED_ID, authorizer=golden_authorizer())),
    ("message", lambda: message_event({"action": "chat"}, CAPTURED_ID)),
    ("message_custom_route", lambda: message_event("{}", CAPTURED_ID, user_agent=None, routeKey="chat_message")),
    ("message_old_identity", lambda: message_event("ping", CAPTURED_ID, messageId="m=", identity=old_identity())),
    ("disconnect_client", lambda: disconnect_event(CAPTURED_ID, code=1005, reason="no status")),
    ("disconnect_idle", lambda: disconnect_event(CAPTURED_ID, code=1001, reason="Going away", user_agent=None)),
]


@pytest.mark.parametrize(("case", "event"), CASES)
def test_events_have_the_form_of_captured_ones(case, event):
    assert forms(event()) == forms(golden(case))


@pytest.mark.parametrize(("case", "event"), CASES)
def test_events_repeat_what_captured_ones_repeat(case, event):
    for one in (event(), golden(case)):
        context, headers = one["requestContext"], one.get("headers", {})
        assert context["requestId"] == context["extendedRequestId"] != context.get("messageId")
        assert one.get("multiValueHeaders", {}) == {name: [value] for name, value in headers.items()}
        assert headers.get("Host", context["domainName"]) == context["domainName"]
        if context["eventType"] == "CONNECT":
            assert headers.get("User-Agent") == context["identity"].get("userAgent")
            assert headers["X-Forwarded-For"] == context["identity"]["sourceIp"]


def old_identity():
    return golden("message_old_identity")["requestContext"]["identity"]


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


@pytest.mark.parametrize("build", [connect_event, lambda **how: message_event("", **how), disconnect_event])
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("route_key", "Use 'routeKey'"),
        ("RequestId", "Use 'requestId'"),
        ("sourceIp", "Use 'source_ip'"),
        ("connectionId", "Use 'connection_id'"),
        ("disconnectStatusCode", "Use 'code'"),
        ("xyz", "Its keys are apiId, authorizer, .*stage"),
    ],
)
def test_a_name_that_the_request_context_does_not_have_is_refused(build, name, advice):
    with pytest.raises(TypeError, match=rf"no argument '{name}'.*{advice}"):
        build(**{name: "x"})


@pytest.mark.parametrize("value", [None, ""])
def test_a_value_that_is_also_in_the_headers_is_a_text(value):
    for name in ("domainName", "requestId", "extendedRequestId"):
        with pytest.raises(TypeError, match=f"{name} must be a string"):
            connect_event(**{name: value})


def test_both_request_ids_are_one_unless_both_are_given():
    for build in (connect_event, lambda **how: message_event("", **how), disconnect_event):
        for given, both in (
            ({"requestId": "r"}, ("r", "r")),
            ({"extendedRequestId": "e"}, ("e", "e")),
            ({"requestId": "r", "extendedRequestId": "e"}, ("r", "e")),
        ):
            context = build(**given)["requestContext"]
            assert (context["requestId"], context["extendedRequestId"]) == both


def test_the_client_of_a_message_and_of_a_disconnect():
    for event in (message_event("", source_ip="198.51.100.1", user_agent="me"),
                  disconnect_event(source_ip="198.51.100.1", user_agent="me")):  # fmt: skip
        assert event["requestContext"]["identity"] == {"sourceIp": "198.51.100.1", "userAgent": "me"}


def test_headers_agree_with_the_identity_that_is_given():
    event = connect_event(identity={"sourceIp": "198.51.100.1"})
    assert event["headers"]["X-Forwarded-For"] == "198.51.100.1"
    assert "User-Agent" not in event["headers"]
    with pytest.raises(TypeError, match="either identity or"):
        connect_event(identity={"sourceIp": "198.51.100.1"}, source_ip="198.51.100.2")
    with pytest.raises(TypeError, match="either identity or"):
        message_event("", identity={"sourceIp": "198.51.100.1"}, user_agent="me")


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
