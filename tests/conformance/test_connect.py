"""What a client sees of `$connect`."""

import http.client
from urllib.parse import urlsplit

import pytest

from tests.conformance.facts import fact
from tests.conformance.target import PATIENCE


@fact("X", "connect: 200 and 201 connect")
@pytest.mark.parametrize("status", [200, 201])
def test_success(api, status):
    with api.open(do={"answer": {"statusCode": status}}) as client:
        assert client.ask({"action": "chat"})


@fact("X", "connect: another status of the integration is the client's HTTP status")
@pytest.mark.parametrize("status", [301, 401, 403, 500])
def test_refusal(api, status):
    assert api.refusal(do={"answer": {"statusCode": status, "body": "secret"}}).status_code == status


@fact("X", "connect: a function that raises is a 502")
def test_exception(api):
    assert api.refusal(do={"raise": True}).status_code == 502


@fact("D", "connect: without a route $connect clients connect")
def test_no_route(bare_api):
    with bare_api.open() as client:
        assert client.ask({"action": "chat"})["requestContext"]["routeKey"] == "chat"


@fact("X", "connect: a plain GET without an upgrade is a 426")
def test_plain_get(api):
    parts = urlsplit(api.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    connection.request("GET", parts.path)
    assert connection.getresponse().status == 426
    connection.close()


@fact("D", "connect: the gateway echoes no subprotocol by itself")
def test_no_echo(api):
    with api.open(subprotocols=["chat.v1"]) as client:
        assert client.socket.subprotocol is None
        assert client.connect_event["headers"]["Sec-WebSocket-Protocol"] == "chat.v1"


@fact("D", "connect: the function chooses the subprotocol by a header, in any case")
@pytest.mark.parametrize("name", ["Sec-WebSocket-Protocol", "sec-websocket-protocol"])
def test_subprotocol(api, name):
    answer = {"statusCode": 200, "headers": {name: "chat.v2"}}
    with api.open(subprotocols=["chat.v1", "chat.v2"], do={"answer": answer}) as client:
        assert client.socket.subprotocol == "chat.v2"


@fact("X", "connect: no other header of the function and no body is forwarded")
def test_no_other_header(api):
    answer = {"statusCode": 200, "headers": {"X-Secret": "1", "Set-Cookie": "a=b"}, "body": "hello"}
    with api.open(do={"answer": answer}) as client:
        assert not {"x-secret", "set-cookie"} & {name.lower() for name, _ in client.socket.response.headers.raw_items()}
        client.is_silent()
