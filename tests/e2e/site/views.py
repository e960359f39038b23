"""Handlers that the end-to-end test calls in a deployed function."""

from project.chat.views import ChatView
from ws_lambda.models import WebSocketSession
from ws_lambda.views import WebSocketView


class View(ChatView):
    ADDITIONAL_ALLOWED_HANDLERS = ("chat_message", "ping")

    def who(self, request, *args, **kwargs):
        """Answers with the route that API Gateway chose, and with the connection's user."""
        return {"route": self.event.route_key, "user": request.user.get_username()}

    def multicast(self, request, *args, **kwargs):
        report = WebSocketSession.objects.filter(channel_name=self.body["channel"]).send_message(self.body["message"])
        return {"sent": report.sent, "queued": report.queued, "failed": len(report.failed)}

    def broadcast(self, request, *args, **kwargs):
        report = WebSocketSession.objects.filter(connected=True).send_message(self.body["message"])
        return {"sent": report.sent, "queued": report.queued, "failed": len(report.failed)}


class LateView(WebSocketView):
    def late(self, request, *args, **kwargs):
        """Answers with the URL that the additional route names."""
        return {"arrived_at": request.path}
