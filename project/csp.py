"""A strict Content-Security-Policy: every script, style and picture comes from this site's own files."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {sockets}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


_DEBUG_PAGES = (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)


class ContentSecurityPolicyMiddleware:
    """Adds the header to every answer. Unencrypted WebSockets are only for development, and so are Django's own pages
    for errors, whose styles and scripts are in them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if settings.DEBUG and response.status_code in _DEBUG_PAGES:
            return response
        sockets = "ws: wss:" if settings.DEBUG else "wss:"
        response.headers.setdefault("Content-Security-Policy", _POLICY.format(sockets=sockets))
        return response
