"""A strict Content-Security-Policy: every script, style and picture comes from this site's own files."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {sockets}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class ContentSecurityPolicyMiddleware:
    """Adds the header to every answer. Unencrypted WebSockets are only for development."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        sockets = "ws: wss:" if settings.DEBUG else "wss:"
        response.headers.setdefault("Content-Security-Policy", _POLICY.format(sockets=sockets))
        return response
