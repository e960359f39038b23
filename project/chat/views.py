"""The WebSocket side of the chat: one method for each action a browser can send."""

from typing import Any

from django.http import HttpRequest

from project.chat.frames import history_frame, message_frame
from ws_lambda.models import ChannelMessage, WebSocketSession
from ws_lambda.views import WebSocketView

MAX_MESSAGE_LENGTH = 2000


def people_in(room: str) -> list[str]:
    """The names of those connected to a room, each once however many windows they have open."""
    sessions = WebSocketSession.objects.filter(channel_name=room, connected=True)
    return sorted({session.user_id for session in sessions if session.user_id})


class ChatView(WebSocketView):
    def chat_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Keeps a message, sends it to everyone in the room, then confirms it to the sender."""
        text, message_id = str(self.body.get("message", "")).strip(), str(self.body.get("id", ""))[:64]
        if not 0 < len(text) <= MAX_MESSAGE_LENGTH:
            return {"nack": message_id, "error": f"A message has 1 to {MAX_MESSAGE_LENGTH} characters."}
        room = self.websocket_session.channel_name
        if not room:
            return {"nack": message_id, "error": "This connection is in no room."}
        payload = {"message": text, "id": message_id}
        message = ChannelMessage.append(room, payload, sender=request.user.get_username())
        WebSocketSession.objects.filter(channel_name=room).send_message(message_frame(message))
        return {"ack": message_id, "sequence": message.sequence}

    def history(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What the room has said: lately, or since a sequence number that the browser has seen."""
        room, after = self.websocket_session.channel_name, self.body.get("after")
        if not room:
            return history_frame([], latest=True)
        if type(after) is not int:
            return history_frame(ChannelMessage.recent(room), latest=True)
        missed = ChannelMessage.since(room, after)
        return history_frame(missed.messages, recovered=missed.recovered)

    def ping(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Keeps an idle connection alive: API Gateway closes it after ten minutes of silence."""
        return {"type": "pong"}

    def enter(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Tells the room who is here: not in `connect`, before whose return nothing can be sent to it."""
        self._announce(self.websocket_session.channel_name)

    def disconnect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        answer = super().disconnect(request, *args, **kwargs)
        if hasattr(self, "websocket_session"):  # not for a connection that is unknown
            self._announce(self.websocket_session.channel_name)
        return answer

    def _announce(self, room: str) -> None:
        """Everyone is told of every arrival, which is right for a team and too much for a stadium."""
        frame = {"type": "presence", "people": people_in(room)}
        WebSocketSession.objects.filter(channel_name=room).send_message(frame)
