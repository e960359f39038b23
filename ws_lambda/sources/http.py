"""HTTP requests from an HTTP API (both payload formats), a REST API, a load balancer or a function URL."""

from collections.abc import Mapping
from typing import Any


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether the event is an HTTP request."""
    asked = event.get("requestContext")
    return isinstance(asked, Mapping) and ("http" in asked or "httpMethod" in event)


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Runs the request through the project's WSGI application, and returns its response."""
    from ws_lambda.sources import wsgi

    return wsgi.answer(event, context)
