"""The kit opens no socket and never sleeps."""

import socket
import time

import pytest

pytestmark = pytest.mark.moto("the other engines are reached by a socket")


@pytest.fixture
def isolated(ws_gateway, user, monkeypatch):
    """From here on sockets and sleeping fail."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("no sockets and no sleeping")

    for where, name in ((socket.socket, "connect"), (socket, "create_connection"), (time, "sleep")):
        monkeypatch.setattr(where, name, refuse)


def test_a_whole_conversation(isolated, ws_client, ws_gateway, user):
    first, second = ws_client(user=user, channel="general"), ws_client(user=user, channel="general")
    first.send_json({"action": "say", "text": "hi"})
    assert second.receive_json() == {"said": "hi"}
    first.send_json({"action": "leave_me"})
    assert first.close_code == 1000
    ws_gateway.advance(7_200)
    assert not second.connected
    assert second.session.connected is False


def test_the_test_would_notice(isolated):
    for leave in (lambda: time.sleep(1), lambda: socket.create_connection(("127.0.0.1", 9))):
        with pytest.raises(AssertionError, match="no sockets and no sleeping"):
            leave()
