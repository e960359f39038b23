"""A chat to test the test kit with."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model

from tests import urls
from ws_lambda.models import WebSocketSession


class Chat(urls.ChatView):
    def say(self, request, *args, **kwargs):
        room = self.websocket_session.channel_name
        WebSocketSession.objects.filter(channel_name=room).send_message({"said": self.body["text"]})
        return None

    def ask(self, request, *args, **kwargs):
        return {"asked": self.body["action"]}

    def leave_me(self, request, *args, **kwargs):
        WebSocketSession.objects.filter(connection_id=self.websocket_session.connection_id).disconnect()

    def fail(self, request, *args, **kwargs):
        raise LookupError("on purpose")


@pytest.fixture(autouse=True)
def chat(monkeypatch) -> Iterator[None]:
    """Serves `Chat` at /ws/."""
    monkeypatch.setitem(urls.current, "view", Chat)
    yield


@pytest.fixture
def user(ws_tables):
    return get_user_model().objects.create_user("alice", password="secret")
