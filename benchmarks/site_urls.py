"""One view where events arrive, and one page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from ws_lambda.views import WebSocketView


class View(WebSocketView):
    def chat(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"said": self.body["message"]}


urlpatterns = [
    path("ws/<slug:route>", View.as_view()),
    path("page", lambda request: HttpResponse("hello")),
]
