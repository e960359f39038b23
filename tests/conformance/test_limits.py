"""Sizes, closes, and the `$disconnect` events that follow."""

from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conformance.facts import fact
from tests.conformance.target import wait_for

KB = 1024


def told(client):
    """The code and the reason in the connection's `$disconnect`."""
    context = wait_for(lambda: client.events("DISCONNECT"))[0]["requestContext"]
    return context["disconnectStatusCode"], context["disconnectReason"]


def padded(size):
    head, tail = '{"action": "chat", "do": {"answer": {"statusCode": 200, "body": "ok"}}, "x": "', '"}'
    return head + "x" * (size - len(head) - len(tail)) + tail


@fact("D", "limits: a frame of 32 KB is taken")
def test_largest_frame(api):
    with api.open() as client:
        client.send(padded(32 * KB))
        assert client.receive() == "ok"


@fact("D", "limits: a frame over 32 KB closes with 1009")
def test_frame_too_big(api):
    with api.open() as client:
        client.send("x" * (32 * KB + 1))
        assert client.closed()[0] == 1009


@fact("D", "limits: a message of 128 KB in frames of 32 KB is taken")
def test_largest_message(api):
    text = padded(128 * KB)
    with api.open() as client:
        client.socket.send(text[at : at + 32 * KB] for at in range(0, len(text), 32 * KB))
        assert client.receive() == "ok"


@fact("D", "limits: a message over 128 KB closes with 1009")
def test_message_too_big(api):
    with api.open() as client:
        with suppress(ConnectionClosed):  # the close may come before the client has sent the message's last frame
            client.socket.send(part for part in ["x" * 32 * KB] * 4 + ["x"])
        assert client.closed()[0] == 1009


@fact("D", "limits: a message over 32 KB is sent to the client in frames of at most 32 KB")
def test_sent_in_frames(api):
    with api.open() as client:
        api.management().post_to_connection(ConnectionId=client.connection_id, Data=b"y" * 100 * KB)
        parts = [len(part) for part in client.socket.recv_streaming()]
    assert sum(parts) == 100 * KB
    assert max(parts) <= 32 * KB


@fact("D", "closes: a binary frame closes with 1003")
def test_binary(api):
    with api.open() as client:
        client.send(b"\x00\x01")
        assert client.closed()[0] == 1003


@fact("R", "closes: a client's close without a code is a 1005 'Client-side close frame status not set'")
def test_close_without_code(api):
    with api.open() as client:
        assert client.connection_id
        # websockets has no public way to close without a code: an empty close frame, by hand.
        client.socket.socket.sendall(b"\x88\x80\x00\x00\x00\x00")
    assert told(client) == (1005, "Client-side close frame status not set")


@fact("D", "closes: a client's own code and reason are passed on")
@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (4001, "bye")])
def test_close_with_code(api, code, reason):
    with api.open() as client:
        assert client.connection_id
        client.socket.close(code, reason)
    assert told(client) == (code, reason)


@fact("X", "closes: DELETE closes with 1000 'Connection Closed Normally'")
def test_delete(api):
    with api.open() as client:
        api.management().delete_connection(ConnectionId=client.connection_id)
        assert client.closed()[0] == 1000
    assert told(client) == (1000, "Connection Closed Normally")
