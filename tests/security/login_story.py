"""A browser that logs in through Django's own pages and opens sockets, and its project."""

from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from tests.urls import ChatView
from ws_lambda.models import WebSocketSession
from ws_lambda.testing import connect_event, invoke

COOKIE = "sessionid"


def cycle(request):
    """A step of a login that changes the session key, as two-factor packages do."""
    request.session.cycle_key()
    return HttpResponse()


def flush(request):
    request.session.flush()
    return HttpResponse()


def who(request):
    return HttpResponse(str(request.user))


urlpatterns = [
    path("login/", LoginView.as_view(success_url="/who/", next_page="/who/")),
    path("cycle/", cycle),
    path("flush/", flush),
    path("who/", who),
    path("ws/<slug:route>", ChatView.as_view()),
    path("", include("ws_lambda.urls")),
]


class Browser(Client):
    """Logs in by Django's own page, cookies and all."""

    def log_in(self, name):
        answer = self.post("/login/", {"username": name, "password": f"secret-{name}"})
        assert answer.status_code == 302, answer.content
        return self

    @property
    def key(self):
        return self.cookies[COOKIE].value

    def token(self):
        return self.post("/api/ws-token/").json()["token"]

    def open(self, connection_id):
        assert invoke(connect_event(connection_id, token=self.token()))["statusCode"] == 200
        return WebSocketSession.get(connection_id, consistent_read=True)


def is_open(connection_id):
    return WebSocketSession.get(connection_id, consistent_read=True).connected
