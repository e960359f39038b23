"""What a gateway event looks like to a Django project, and what comes back."""

import pytest
from django.core.signals import request_finished, request_started
from django.http import StreamingHttpResponse

from tests.golden import golden
from tests.urls import ChatView
from ws_lambda import adapter, process_state
from ws_lambda.events import GatewayEvent
from ws_lambda.models import ApiGateway, gateways
from ws_lambda.process_state import Occasion
from ws_lambda.tables.gateways import AdditionalRoute
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event, mint_token
from ws_lambda.testing.gateway_events import DOMAIN_NAME

pytestmark = pytest.mark.usefixtures("ws_tables", "still")


@pytest.fixture
def seen(use_view, user):
    """What the handler `look` has seen of its last request."""
    found = {}

    class Looking(ChatView):
        def look(self, request, *args, **kwargs):
            found.update(
                host=request.get_host(), secure=request.is_secure(), method=request.method, path=request.path,
                address=request.META["REMOTE_ADDR"], body=request.body, route=self.kwargs["route"], text=repr(request),
            )  # fmt: skip

        def stream(self, request, *args, **kwargs):
            return StreamingHttpResponse([b'{"a":', b" 1}"])

    use_view(Looking)
    invoke(connect_event(token=mint_token(user)))
    return found


def test_a_request_as_any_other(seen):
    invoke(message_event({"action": "look"}))
    assert seen == {
        "host": DOMAIN_NAME,
        "secure": True,
        "method": "POST",
        "path": "/ws/default",
        "address": "203.0.113.9",
        "body": b'{"action": "look"}',
        "route": "default",
        "text": "<GatewayRequest: $default C1=>",
    }


def test_the_whole_middleware_runs_and_does_not_stand_in_the_way(seen, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["www.example.com"]
    process_state.forget(Occasion.SETTINGS)
    assert invoke(message_event({"action": "look"}))["statusCode"] == 200
    assert seen["secure"]
    process_state.forget(Occasion.SETTINGS)


def test_a_streamed_answer_is_put_together(seen):
    assert decode_answer(invoke(message_event({"action": "stream"}))) == (200, {"a": 1})


def test_requests_begin_and_end(seen):
    heard = []
    began, ended = (lambda **_kwargs: heard.append("began")), (lambda **_kwargs: heard.append("ended"))
    request_started.connect(began)
    request_finished.connect(ended)
    invoke(message_event({"action": "look"}))
    request_started.disconnect(began)
    request_finished.disconnect(ended)
    assert heard == ["began", "ended"]


def path(event_name, **context):
    return adapter.path_of(GatewayEvent.from_lambda(golden(event_name, **context)))


def test_paths_of_routes(settings):
    assert path("connect") == "/ws/connect"
    assert path("disconnect_idle") == "/ws/disconnect"
    assert path("message") == "/ws/default"
    assert path("message", routeKey="chat/send") == "/ws/chat-send"
    settings.WS_LAMBDA = {"BASE_PATH": "/live/", "ROUTE_PATHS": {"chat": "/talk/chat/"}}
    assert path("connect") == "/live/connect"
    assert path("message", routeKey="chat") == "/talk/chat/"
    assert path("message", routeKey="other") == "/live/other"


def test_a_registered_gateways_additional_route_names_its_path():
    target = "https://www.example.com/ws/notifications/"
    route = AdditionalRoute(name="n", route_key="notifications", target=target)
    ApiGateway("chat", api_id="abc123", additional_routes=[route]).save()
    gateways.forget()
    assert path("message", routeKey="notifications") == "/ws/notifications/"
    assert path("message", routeKey="elsewhere") == "/ws/elsewhere"


def test_an_event_that_says_too_little(caplog):
    event = golden("message")
    del event["requestContext"]["apiId"]
    assert decode_answer(invoke(event)) == (400, {"message": "Invalid request format", "status": 400})
    assert "Not a WebSocket proxy event: KeyError: 'apiId'" in caplog.text
