"""Runs a WebSocket event through Django: event → request → middleware and URLconf → answer for API Gateway."""

import base64
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_started
from django.http import HttpResponseBase
from django.urls import set_script_prefix

from ws_lambda import delivery, headers, process_state
from ws_lambda.conf import conf
from ws_lambda.events import EventType, GatewayEvent, route_slug
from ws_lambda.gatekeeping import tokens
from ws_lambda.models import gateways
from ws_lambda.models.closing import close_session
from ws_lambda.process_state import Occasion


class GatewayRequest(WSGIRequest):
    """The Django request for a WebSocket event. The event itself is `gateway_event`."""

    def __init__(self, event: GatewayEvent, path: str) -> None:
        super().__init__(_environ(event, path))
        self.gateway_event = event

    def __repr__(self) -> str:
        """Leaves out the query string, which Django's own repr has: it may contain a token."""
        return f"<{type(self).__name__}: {self.gateway_event.route_key} {self.gateway_event.connection_id}>"

    def get_host(self) -> str:
        """Returns the host that API Gateway reports. Clients cannot forge it, so ALLOWED_HOSTS is not checked."""
        return self.gateway_event.domain_name or super().get_host()


@cache
def django_handler() -> BaseHandler:
    """The project's middleware chain. It is built once for each process."""
    handler = BaseHandler()
    handler.load_middleware()
    return handler


process_state.register(django_handler.cache_clear, Occasion.TEST, Occasion.SETTINGS)


def path_of(event: GatewayEvent) -> str:
    """Returns the URL path of an event: the path of its additional route, else BASE_PATH and the route's slug."""
    if event.type is EventType.CONNECT or event.type is EventType.DISCONNECT:
        return conf.BASE_PATH + route_slug(event.route_key)
    if path := conf.ROUTE_PATHS.get(event.route_key):
        return path
    if event.route_key != "$default" and (gateway := gateways.find(event.api_id)):
        path = gateway.route_paths.get(event.route_key)
    return path or conf.BASE_PATH + event.slug


def answer(event: GatewayEvent) -> dict[str, Any]:
    """Runs an event through Django, and returns the answer in the format of a Lambda proxy integration."""
    set_script_prefix("/")
    request = GatewayRequest(event, path_of(event))
    request_started.send(sender=GatewayRequest, environ=request.environ)
    return _connect(event, request) if event.type is EventType.CONNECT else _respond(request)


def _connect(event: GatewayEvent, request: GatewayRequest) -> dict[str, Any]:
    """Answers a `$connect`. If middleware refuses it after the view has opened a session, the session is closed.

    No socket opens then, so API Gateway never sends a `$disconnect`.
    """
    refused = True
    with delivery.connecting(event.connection_id) as opening:
        try:
            answered = _respond(request)
            refused = not 200 <= answered["statusCode"] < 300
            return answered
        finally:
            if refused and opening.opened:
                close_session(event.connection_id, api_id=event.api_id)


def _respond(request: GatewayRequest) -> dict[str, Any]:
    response = django_handler().get_response(request)
    try:
        return _lambda_answer(response)
    finally:
        response.close()  # sends request_finished


def _wsgi(text: str) -> str:
    """Encodes text as WSGI does: UTF-8 bytes, decoded as Latin-1 (PEP 3333)."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _environ(event: GatewayEvent, path: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": _wsgi(path),
        "QUERY_STRING": urlencode(tokens.without_token(event.query), errors="replace"),
        "SERVER_NAME": event.domain_name or "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": event.source_ip,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(event.body)),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(event.body),
    }
    if settings.SECURE_PROXY_SSL_HEADER:
        header, value = settings.SECURE_PROXY_SSL_HEADER
        environ[header] = value  # WebSocket events always come over TLS
    for name, value in event.headers.items():
        if headers.is_forwarded(name):
            environ.setdefault("HTTP_" + name.upper().replace("-", "_"), _wsgi(value))
    environ["HTTP_HOST"] = event.domain_name or event.headers.get("host", "")
    return environ


def _lambda_answer(response: HttpResponseBase) -> dict[str, Any]:
    """Builds the answer: status, body, and the one header that API Gateway passes on to the client."""
    content = b"".join(response) if response.streaming else getattr(response, "content", b"")
    answer: dict[str, Any] = {"statusCode": response.status_code}
    if protocol := response.headers.get("Sec-WebSocket-Protocol"):
        answer["headers"] = {"Sec-WebSocket-Protocol": protocol}
    try:
        answer["body"] = content.decode("utf-8")
    except UnicodeDecodeError:
        answer["body"] = base64.b64encode(content).decode("ascii")
        answer["isBase64Encoded"] = True
    return answer
