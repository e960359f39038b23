"""Reading WebSocket events: the golden events, and malformed ones."""

import pytest

from tests.golden import FOLDER, golden
from ws_lambda.events import EventType, GatewayEvent, route_slug
from ws_lambda.exceptions import EventError

CASES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", [case for case in CASES if case != "authorizer_request"])
def test_every_golden_event_is_recognised_and_read(name):
    event = golden(name)
    assert GatewayEvent.recognises(event)
    read = GatewayEvent.from_lambda(event)
    assert read.connection_id == "BFHPhfCWIAMCKlQ="
    assert read.api_id == "abc123"
    assert read.stage == "prod"
    assert read.source_ip == "203.0.113.9"
    assert read.connected_at == 1731324924553
    assert read.request_id == "BFHPhFe3IAMF95g="


def test_an_authorizers_event_is_not_a_connect():
    assert not GatewayEvent.recognises(golden("authorizer_request"))


@pytest.mark.parametrize(
    "event", [None, [], "x", {}, {"requestContext": None}, {"requestContext": {"connectionId": "a"}}]
)
def test_other_events_are_not_recognised(event):
    assert not GatewayEvent.recognises(event)


def test_connect():
    read = GatewayEvent.from_lambda(golden("connect"))
    assert read.type is EventType.CONNECT
    assert read.slug == "connect"
    assert read.query_value("channel") == "general"
    assert read.query_value("absent") == ""
    assert read.headers["origin"] == "https://www.example.com"
    assert read.user_agent == "Mozilla/5.0"
    assert read.body == b""


def test_absent_query_and_user_agent():
    assert GatewayEvent.from_lambda(golden("connect_without_query")).query == ()
    assert GatewayEvent.from_lambda(golden("connect_without_user_agent")).user_agent == ""


def test_repeated_query_parameters_and_subprotocols():
    read = GatewayEvent.from_lambda(golden("connect_with_subprotocols"))
    assert read.query == (("tag", "a"), ("tag", "b"))
    assert read.query_value("tag") == "b"
    assert read.subprotocols == ["chat.v1", "ws-token.abc"]


def test_single_value_query_alone():
    event = golden("connect")
    del event["multiValueQueryStringParameters"]
    assert GatewayEvent.from_lambda(event).query == (("channel", "general"),)


def test_message():
    read = GatewayEvent.from_lambda(golden("message"))
    assert read.type is EventType.MESSAGE
    assert read.message_id != read.request_id
    assert read.headers == {}
    assert read.body == b'{"action": "chat", "message": "Hello"}'


def test_base64_body():
    event = golden("message") | {"body": "eyJhIjogMX0=", "isBase64Encoded": True}
    assert GatewayEvent.from_lambda(event).body == b'{"a": 1}'


def test_disconnect_tells_code_and_reason():
    read = GatewayEvent.from_lambda(golden("disconnect_client"))
    assert (read.disconnect_code, read.disconnect_reason) == (1005, "Client-side close frame status not set")


@pytest.mark.parametrize(
    "change",
    [
        {"eventType": "OTHER"},
        {"connectionId": ["a"]},
        {"apiId": {}},
        {"connectedAt": "soon"},
        {"identity": "x"},
    ],
)
def test_malformed_events_raise_one_error(change):
    with pytest.raises(EventError):
        GatewayEvent.from_lambda(golden("message", **change))


@pytest.mark.parametrize("body", [5, {"a": 1}])
def test_a_body_that_is_no_string(body):
    with pytest.raises(EventError):
        GatewayEvent.from_lambda(golden("message") | {"body": body})


def test_a_body_that_is_not_base64():
    with pytest.raises(EventError):
        GatewayEvent.from_lambda(golden("message") | {"body": "!", "isBase64Encoded": True})


@pytest.mark.parametrize(
    ("key", "slug"),
    [("$connect", "connect"), ("$disconnect", "disconnect"), ("$default", "default"), ("chat", "chat"),
     ("chat/send", "chat-send"), ("///", "default")],
)  # fmt: skip
def test_slugs(key, slug):
    assert route_slug(key) == slug


class TestHttp:
    HEADERS = {"connectionId": "C1=", "X-Ws-Api-Id": "abc123"}

    def read(self, slug="default", **more):
        return GatewayEvent.from_http({**self.HEADERS, **more}, slug=slug, query=[], body=b"{}")

    @pytest.mark.parametrize(
        ("slug", "kind", "key"),
        [("connect", EventType.CONNECT, "$connect"), ("disconnect", EventType.DISCONNECT, "$disconnect"),
         ("chat", EventType.MESSAGE, "chat")],
    )  # fmt: skip
    def test_the_path_tells_the_event_where_no_header_does(self, slug, kind, key):
        event = self.read(slug)
        assert (event.type, event.route_key) == (kind, key)

    def test_mapped_headers_win(self):
        event = self.read(**{"X-Ws-Event-Type": "MESSAGE", "X-Ws-Route-Key": "connect", "X-Ws-Connected-At": "17"})
        assert (event.type, event.route_key, event.connected_at) == (EventType.MESSAGE, "connect", 17)

    def test_the_backends_host_is_not_the_clients(self):
        assert "host" not in self.read(Host="www.example.com").headers

    def test_api_id_from_what_api_gateway_sends_by_itself(self):
        for headers in ({"X-Amzn-Apigateway-Api-Id": "q1"}, {"User-Agent": "AmazonAPIGateway_q1"}):
            event = GatewayEvent.from_http({"connectionid": "C", **headers}, slug="default", query=[], body=b"")
            assert event.api_id == "q1"

    @pytest.mark.parametrize("headers", [{}, {"connectionId": "C"}, {"X-Ws-Api-Id": "a"}])
    def test_too_little_to_be_an_event(self, headers):
        with pytest.raises(EventError):
            GatewayEvent.from_http(headers, slug="default", query=[], body=b"")

    def test_unknown_type(self):
        with pytest.raises(EventError):
            self.read(**{"X-Ws-Event-Type": "PING"})
