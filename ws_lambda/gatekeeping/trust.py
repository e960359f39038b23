"""Whether a request comes from API Gateway, and from an allowed gateway."""

import os
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from ws_lambda.conf import conf, gateway_secrets
from ws_lambda.events import SECRET_HEADER, GatewayEvent
from ws_lambda.exceptions import EventError, HostRefused, InvalidRequest, UntrustedRequest
from ws_lambda.models import gateways

if TYPE_CHECKING:
    from ws_lambda.tables.gateways import ApiGateway

GATEWAY_IDS_VARIABLE = "WS_LAMBDA_GATEWAY_IDS"
"""The environment variable with API ids, separated by commas, which the deployment adds to GATEWAY_IDS."""

_SECRET_META = "HTTP_" + SECRET_HEADER.upper().replace("-", "_")


def read_event(request: HttpRequest, slug: str) -> GatewayEvent:
    """The event of a request: from the Lambda handler, or from an HTTP integration that sends the gateway's secret.

    Raises:
        UntrustedRequest: it is an HTTP request without the secret. Nothing has been read from the database.
        InvalidRequest: the secret is right, but the request lacks parts of an event.
    """
    event = getattr(request, "gateway_event", None)
    if isinstance(event, GatewayEvent):
        return event
    if not _secret_is_right(request.META.get(_SECRET_META, "")):
        raise UntrustedRequest()
    query = [(name, value) for name, values in request.GET.lists() for value in values]
    try:
        return GatewayEvent.from_http(dict(request.headers), slug=slug, query=query, body=request.body)
    except EventError as wrong:
        raise InvalidRequest(str(wrong)) from wrong


def check_gateway(event: GatewayEvent, pinned: str | None = None) -> "ApiGateway | None":
    """The record of the event's gateway, if it is registered.

    Args:
        pinned: the only API id (or `api_name` of a record) that the view serves, if it has one.

    Raises:
        UntrustedRequest: gateways are configured or registered, and this is not one of them, or not the pinned one.
    """
    record = gateways.find(event.api_id)
    allowed = allowed_ids()
    if record is None and event.api_id not in allowed and (allowed or gateways.registered()):
        raise UntrustedRequest()
    if pinned and pinned != event.api_id and (record is None or pinned != record.api_name):
        raise UntrustedRequest()
    return record


def check_host(event: GatewayEvent) -> None:
    """Checks that the client's Host header is the host that API Gateway says it connected to.

    Raises:
        HostRefused: it is another host.
    """
    named = event.headers.get("host", "").lower()
    if event.domain_name and named and named not in (event.domain_name.lower(), f"{event.domain_name.lower()}:443"):
        raise HostRefused()


def allowed_ids() -> set[str]:
    """The API ids in the settings and in the environment."""
    from_environment = os.environ.get(GATEWAY_IDS_VARIABLE, "").split(",")
    return {*conf.GATEWAY_IDS, *filter(None, (one.strip() for one in from_environment))}


def _secret_is_right(guess: str) -> bool:
    """Compares with all secrets in constant time. Without a secret there is no HTTP mode."""
    matches = [constant_time_compare(guess, secret) for secret in gateway_secrets()]
    return bool(guess) and any(matches)
