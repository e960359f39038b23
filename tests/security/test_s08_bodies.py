"""S8: no body, header set or query makes the handler answer with an unhandled 500."""

import json
from typing import Literal
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from tests.security.forging import forged
from tests.urls import ChatView
from ws_lambda.events import HTTP_HEADERS
from ws_lambda.testing import connect_event, decode_answer, disconnect_event, invoke, message_event, mint_token
from ws_lambda.views import WebSocketView, handler

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(["chat", "default", "connect", "_private", "change_channel", "dispatch", "", "\n"]) | anything
headers = st.dictionaries(
    st.sampled_from(
        ["Origin", "Host", "Cookie", "Sec-WebSocket-Protocol", "User-Agent", "Content-Length", "Content-Type",
         "X-Forwarded-For", "Transfer-Encoding", "Authorization", "X-Ws-Gateway-Secret"]
    ) | st.text(min_size=1, max_size=20),
    st.text(max_size=60),
    max_size=6,
)  # fmt: skip
queries = st.dictionaries(st.sampled_from(["channel", "ws_token"]) | st.text(max_size=8), st.text(max_size=140))


pytestmark = pytest.mark.no_cover  # every example takes the same path, and tracing doubles its time

CONTEXT = ["apiId", "stage", "domainName", "identity", "requestId", "connectedAt"]


class Fuzzed(ChatView):
    RATE_LIMIT_ENABLED = False
    ADDITIONAL_ALLOWED_HANDLERS = ["change_channel"]

    def chat(self, request, *args, **kwargs):
        return {"echo": self.body}


@pytest.fixture
def open_connection(ws_tables, user, use_view):
    use_view(Fuzzed)
    assert invoke(connect_event("F=", token=mint_token(user), channel="general"))["statusCode"] == 200


def fine(response):
    assert response["statusCode"] in (200, 400, 401, 403, 409, 413, 429), response
    assert isinstance(response["body"], str)


@given(body=st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | anything.map(json.dumps))
@example("[" * 50_000)
@example('{"a":' * 20_000)
@example('{"action": "chat", "n": ' + "9" * 5000 + "}")
@example("\ud800")
@example('{"action": "chat", "x": "\\ud800"}')
def test_any_body(open_connection, body):
    fine(invoke(message_event(body, "F=")))


@given(body=st.fixed_dictionaries({}, optional={"handler": names, "action": names, "channel": names, "x": anything}))
def test_any_object(open_connection, body):
    fine(invoke(message_event(json.dumps(body), "F=")))


@given(headers=headers, query=queries, connection_id=st.text(max_size=140), route=st.text(max_size=20))
def test_any_headers_and_query(open_connection, user, headers, query, connection_id, route):
    event = connect_event(connection_id, query=query, token=query.get("ws_token", "0" * 64))
    fine(invoke(forged(event, headers)))
    fine(invoke(message_event("{}", connection_id, routeKey=route)))


@given(connection_id=st.text(max_size=140), moment=st.integers() | st.none() | st.text(max_size=20))
@example("", 10**30)
def test_any_connection_id_that_ends_or_opens(open_connection, connection_id, moment):
    assert invoke(disconnect_event(connection_id))["statusCode"] == 200
    fine(invoke(connect_event(connection_id, token="0" * 64, connectedAt=moment)))


gateway_headers = st.dictionaries(
    st.sampled_from([*HTTP_HEADERS, "Origin", "Cookie", "Sec-WebSocket-Protocol", "User-Agent"]),
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=60) | st.integers().map(str),
)


@given(
    route=st.sampled_from(["connect", "disconnect", "default", "chat"]),
    headers=gateway_headers, query=queries, body=st.binary(max_size=200),
)  # fmt: skip
@example("connect", {"X-Ws-Connected-At": "9" * 30, "X-Ws-Source-Ip": "9" * 5000}, {"ws_token": "0" * 64}, b"")
def test_any_request_of_a_proved_gateway(open_connection, settings, route, headers, query, body):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": "s" * 32}
    proved = {"connectionId": "F=", "X-Ws-Api-Id": "test", "Origin": "https://www.example.com"}
    response = Client(headers={**proved, **headers, "X-Ws-Gateway-Secret": "s" * 32}).post(
        f"/ws/{route}?{urlencode(query)}", body, content_type="application/json"
    )
    fine({"statusCode": response.status_code, "body": response.content.decode()})


@given(
    context=st.dictionaries(
        st.sampled_from(["apiId", "stage", "domainName", "identity", "requestId", "connectedAt"]), anything
    )
)
def test_any_context(open_connection, context):
    fine(invoke(message_event("{}", "F=", **context)))


@pytest.mark.parametrize("size", [131_073, 1_000_000])
def test_oversized(open_connection, size):
    assert invoke(message_event('{"action": "chat", "pad": "%s"}' % ("x" * size), "F="))["statusCode"] == 413


def test_a_schema_names_fields_and_never_values(open_connection, use_view):
    from dataclasses import dataclass

    @dataclass
    class Move:
        x: int
        y: int = 0
        label: str | None = None
        path: list[float] | None = None
        way: Literal["walk", "run"] = "walk"

        def __post_init__(self):
            if self.x < 0:
                raise ValueError(f"{self.x} is not on the board")

    class Game(WebSocketView):
        @handler(schema=Move)
        def move(self, request, *args, **kwargs):
            return {"x": self.data.x, "y": self.data.y}

    use_view(Game)

    def send(**body):
        return decode_answer(invoke(message_event({"action": "move", **body}, "F=")))

    assert send(x=1, path=[1, 2.5]) == (200, {"x": 1, "y": 0})
    assert send(x=1, way="run")[0] == 200
    wrongs = (({}, "x"), ({"x": "s3cret"}, "x"), ({"x": True}, "x"), ({"x": 1, "label": 5}, "label"))
    for wrong, name in (*wrongs, ({"x": 1, "way": "fly"}, "way"), ({"x": 1, "way": []}, "way")):
        status, said = send(**wrong)
        assert (status, said["message"]) == (400, f"Invalid or missing: {name}")
    assert "s3cret" not in json.dumps(send(x="s3cret"))
    assert (send(x=-7)[0], send(x=-7)[1]["message"]) == (400, "Invalid request format")
