"""Route selection, error frames, and which clients get an answer."""

import json

import pytest

from tests.conformance.facts import fact

SHAPE = '{{"message": "{}", "connectionId":"{}", "requestId":"{}"}}'


def assert_error_frame(text, message, connection_id):
    request_id = json.loads(text)["requestId"]
    assert text == SHAPE.format(message, connection_id, request_id)


@fact("D", "routing: $request.body.action selects the route")
def test_by_action(api):
    with api.open() as client:
        assert client.ask({"action": "chat"})["requestContext"]["routeKey"] == "chat"


@fact("D", "routing: what matches no route goes to $default")
@pytest.mark.parametrize(
    "body", ['{"action": "other"}', '{"no": "action"}', "[1, 2]", '"text"', "5", "null", "not json"]
)
def test_default(api, body):
    with api.open() as client:
        event = client.ask(body)
    assert event["requestContext"]["routeKey"] == "$default"
    assert event["body"] == body


@fact("D", "routing: a message cannot select $connect or $disconnect")
@pytest.mark.parametrize("action", ["$connect", "$disconnect"])
def test_reserved(api, action):
    with api.open() as client:
        assert client.ask({"action": action})["requestContext"]["routeKey"] == "$default"


@fact("D", "routing: the result of an expression is made a string")
@pytest.mark.parametrize(("value", "key"), [(5, "5"), (True, "true"), ("deep", "deep")])
def test_stringified(nested_api, value, key):
    with nested_api.open() as client:
        assert client.ask({"a": {"b": value}})["requestContext"]["routeKey"] == key


@fact("D", "routing: a path that leads nowhere gives an empty string")
@pytest.mark.parametrize("body", [{"a": 1}, {"a": {}}, {"b": 1}])
def test_missing_path(nested_api, body):
    with nested_api.open() as client:
        assert client.ask(body)["requestContext"]["routeKey"] == "$default"


@fact("D", "routing: with no match and no $default the client gets an error frame")
def test_no_default(bare_api):
    with bare_api.open() as client:
        client.send({"action": "other"})
        assert json.loads(client.receive())["message"] == "Forbidden"


@fact("R", "frames: an error frame has exactly this spacing and these keys")
def test_error_frame(bare_api):
    with bare_api.open() as client:
        connection_id = client.ask({"action": "chat"})["requestContext"]["connectionId"]
        client.send({"action": "other"})
        assert_error_frame(client.receive(), "Forbidden", connection_id)


@fact("X", "frames: a function that raises on a message is 'Internal server error', and the socket stays open")
def test_exception(api):
    with api.open() as client:
        client.send({"action": "chat", "do": {"raise": True}})
        assert_error_frame(client.receive(), "Internal server error", client.connection_id)
        assert client.ask({"action": "chat"})


@fact("D", "replies: a body reaches the client on a route with a route response")
def test_reply(api):
    with api.open() as client:
        client.send({"action": "chat", "do": {"answer": {"statusCode": 200, "body": "hello"}}})
        assert client.receive() == "hello"


@fact("D", "replies: without a route response no body reaches the client")
def test_no_reply(api):
    with api.open() as client:
        client.send({"action": "quiet", "do": {"answer": {"statusCode": 200, "body": "hello"}}})
        client.is_silent()


@fact("X", "replies: a status that is not 2xx does not close the socket")
def test_status_closes_nothing(api):
    with api.open() as client:
        client.send({"action": "chat", "do": {"answer": {"statusCode": 400, "body": "no"}}})
        client.receive()
        assert client.ask({"action": "chat"})
