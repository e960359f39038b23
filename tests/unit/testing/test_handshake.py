"""The request that opens a connection."""

import pytest

from ws_lambda.testing import InProcessGateway, WebSocketTestClient, connect_event
from ws_lambda.testing.handshake import handshake


def test_the_name_of_a_header_has_no_case():
    headers = connect_event(
        headers={"user-agent": "me", "ORIGIN": "https://a.example", "cookie": "b=2"}, cookies={"a": "1"}
    )["multiValueHeaders"]
    assert [value for name, value in headers.items() if name.lower() == "user-agent"] == [["me"]]
    assert [value for name, value in headers.items() if name.lower() == "origin"] == [["https://a.example"]]
    assert [value for name, value in headers.items() if name.lower() == "cookie"] == [["b=2"]]


def test_a_header_that_is_none_is_not_sent():
    names = {name for name, _value in handshake(headers={"sec-websocket-key": None, "X-None": None}).headers}
    assert names == {"User-Agent", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions"}


def test_a_parameter_can_have_several_values():
    event = connect_event(query={"tag": ["a", "b c"], "one": "ab"})
    assert event["multiValueQueryStringParameters"] == {"tag": ["a", "b c"], "one": ["ab"]}
    assert event["queryStringParameters"] == {"tag": "b c", "one": "ab"}


def test_subprotocols_are_not_one_string(user):
    with pytest.raises(TypeError, match=r"such as \('chat',\)"):
        connect_event(subprotocols="chat")
    with InProcessGateway(), pytest.raises(TypeError, match="subprotocols must be a tuple"):
        WebSocketTestClient(user=user, subprotocols="chat").connect()
