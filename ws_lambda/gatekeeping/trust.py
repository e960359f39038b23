"""Is it API Gateway that speaks, and the right one?"""

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
"""Environment variable with API ids, by commas, that the deployment adds to GATEWAY_IDS."""

_SECRET_META = "HTTP_" + SECRET_HEADER.upper().replace("-", "_")


def read_event(request: HttpRequest, slug: str) -> GatewayEvent:
    """The event behind a request: the Lambda door's own, else what a proved HTTP integration says.

    Raises:
        UntrustedRequest: an HTTP request without the gateway's secret. Nothing has read the database.
        InvalidRequest: the gateway is proved, but its request says too little to be an event.
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
    """The record of the event's gateway, if it has one.

    Args:
        pinned: the only API id (or api_name of a record) that the view serves, if it names one.

    Raises:
        UntrustedRequest: gateways are configured or registered, and this is none of them, or not the pinned one.
    """
    record = gateways.find(event.api_id)
    allowed = allowed_ids()
    if record is None and event.api_id not in allowed and (allowed or gateways.registered()):
        raise UntrustedRequest()
    if pinned and pinned != event.api_id and (record is None or pinned != record.api_name):
        raise UntrustedRequest()
    return record


def check_host(event: GatewayEvent) -> None:
    """The host that the client named must be the one that API Gateway says it connected to.

    Raises:
        HostRefused: it is another.
    """
    named = event.headers.get("host", "").lower()
    if event.domain_name and named and named not in (event.domain_name.lower(), f"{event.domain_name.lower()}:443"):
        raise HostRefused()


def allowed_ids() -> set[str]:
    """API ids that settings and environment name."""
    from_environment = os.environ.get(GATEWAY_IDS_VARIABLE, "").split(",")
    return {*conf.GATEWAY_IDS, *filter(None, (one.strip() for one in from_environment))}


def _secret_is_right(guess: str) -> bool:
    """Compares with every secret, whichever is right, in constant time. No secret, no HTTP mode."""
    matches = [constant_time_compare(guess, secret) for secret in gateway_secrets()]
    return bool(guess) and any(matches)
