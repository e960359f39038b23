"""URLs of the test run. Tests that need a view of their own put it into `routes`."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.urls import include, path

from ws_lambda.views import WebSocketView


class ChatView(WebSocketView):
    """What the contract calls the baseline: a view with handlers `default` and `chat`."""

    def default(self, request, *args, **kwargs):
        return {"handler": "default"}

    def chat(self, request, *args, **kwargs):
        return {"handler": "chat", "user": str(request.user)}


current: dict[str, type[WebSocketView]] = {"view": ChatView}


def serve(request: HttpRequest, route: str) -> HttpResponseBase:
    """Calls the view that the running test has chosen."""
    return current["view"].as_view()(request, route=route)


serve.csrf_exempt = True
serve.view_class = ChatView  # as `as_view` has it; the fixture `use_view` changes it too

urlpatterns = [
    path("admin/", admin.site.urls),
    path("ws/<slug:route>", serve),
    path("", include("ws_lambda.urls")),
    path("", include("ws_lambda.admin.urls")),
]
