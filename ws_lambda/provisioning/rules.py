"""Validates a gateway's record before AWS is called, because AWS's own errors do not name the field."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http.request import validate_host

from ws_lambda.conf import conf, gateway_secrets
from ws_lambda.events import FIXED_ROUTES
from ws_lambda.provisioning import field_checks, gateway_fields
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Integration

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
MAX_ROUTES = 300
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""

_KEY = re.compile(field_checks.ROUTE_KEY)
_FUNCTION = re.compile(field_checks.FUNCTION_ARN)

Problem = tuple[str, str]
"""The name of a field, and a sentence that says what to enter."""


def check(record: ApiGateway) -> None:
    """Raises ValidationError, with a list of sentences for each field that is wrong."""
    found: dict[str, list[str]] = {}
    for field, sentence in problems(record):
        found.setdefault(field, []).append(sentence)
    if found:
        raise ValidationError({field: list(sentences) for field, sentences in found.items()})


def fixed(record: ApiGateway) -> tuple[str, ...]:
    """The fields that name something that exists in AWS. With another name it would be left behind."""
    return tuple(field.name for field in gateway_fields.FIELDS if field.fixed_from and record.reached(field.fixed_from))


def check_fixed(stored: ApiGateway, edited: ApiGateway) -> None:
    """Raises ValidationError if a field was changed that can no longer change."""
    changed = [name for name in fixed(stored) if getattr(stored, name) != getattr(edited, name)]
    if changed:
        raise ValidationError(
            {
                name: [
                    f"AWS already uses {getattr(stored, name)!r}, which cannot change. Create another gateway instead."
                ]
                for name in changed
            }
        )


def problems(record: ApiGateway) -> Iterator[Problem]:
    """Every problem of a record: first of single fields, then of combinations."""
    for field in gateway_fields.FIELDS:
        for sentence in field.problems(getattr(record, field.name)):
            yield field.name, sentence
    yield from _integration(record)
    yield from _domain(record)
    yield from _throttling(record)
    yield from _routes(record)


def _integration(record: ApiGateway) -> Iterator[Problem]:
    if record.integration == Integration.LAMBDA:
        if not _FUNCTION.fullmatch(record.lambda_function_arn):
            yield "lambda_function_arn", "Enter the ARN of the Lambda function that answers."
    elif record.integration == Integration.HTTP:
        yield from _http(record)
    else:
        yield "integration", "Choose lambda or http."


def _http(record: ApiGateway) -> Iterator[Problem]:
    for sentence in url_problems(record.target_base_endpoint):
        yield "target_base_endpoint", sentence
    if not record.target_base_endpoint.endswith("/"):
        yield (
            "target_base_endpoint",
            "End the URL with a slash: connect, disconnect and default are appended to it.",
        )
    secret = gateway_secret()
    if not secret:
        yield (
            "integration",
            "Set WS_LAMBDA['GATEWAY_SECRET'] first. Without it, the site cannot tell API Gateway from other callers.",
        )
    elif "'" in secret or not secret.isprintable() or not secret.isascii():
        yield (
            "integration",
            "GATEWAY_SECRET is sent in a header. Use printable ASCII without a single quote.",
        )


def url_problems(url: str) -> Iterator[str]:
    """The problems of a URL that API Gateway is to call."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        yield "This is not a URL."
        return
    local = settings.DEBUG and parts.scheme == "http" and host in LOOPBACK
    if parts.scheme != "https" and not local:
        yield "Enter an https:// URL: every request carries the gateway secret."
    if parts.username or parts.password or parts.query or parts.fragment:
        yield "Leave out the user name, the query and the fragment."
    if not host or not validate_host(host, conf.INTEGRATION_HOSTS or settings.ALLOWED_HOSTS):
        yield f"The host {host!r} is in neither WS_LAMBDA['INTEGRATION_HOSTS'] nor ALLOWED_HOSTS."


def gateway_secret() -> str:
    """The secret that new integrations send: the first of those that are accepted; "" if there is none."""
    return next(iter(gateway_secrets()), "")


def _domain(record: ApiGateway) -> Iterator[Problem]:
    if record.domain_name and not record.certificate_arn:
        yield "certificate_arn", "A custom domain needs an ACM certificate."
    if not record.domain_name and (record.certificate_arn or record.hosted_zone_id):
        yield "domain_name", "Enter the domain that the certificate or hosted zone is for."


def _throttling(record: ApiGateway) -> Iterator[Problem]:
    if (record.throttling_rate is None) != (record.throttling_burst is None):
        yield "throttling_burst", "Enter both a rate and a burst, or neither."


def _routes(record: ApiGateway) -> Iterator[Problem]:
    if len(record.additional_routes) > MAX_ROUTES - 3:
        yield (
            "additional_routes",
            f"API Gateway allows {MAX_ROUTES} routes, and the gateway itself needs three of them.",
        )
    seen = {*FIXED_ROUTES, record.route_key}
    for route in record.additional_routes:
        for _field, sentence in route_problems(route, record.integration):
            yield "additional_routes", f"{route.route_key or route.name}: {sentence}"
        if route.route_key in seen:
            yield "additional_routes", f"{route.route_key}: this route key is already taken."
        seen.add(route.route_key)


def route_problems(route: AdditionalRoute, integration: str) -> Iterator[Problem]:
    """The problems of one additional route. Whether its key is unique is checked elsewhere."""
    if not route.name or len(route.name) > 128:
        yield "name", "Enter a name of at most 128 characters."
    if not _KEY.fullmatch(route.route_key):
        yield "route_key", "Use only letters, digits, _ . and -, at most 128 characters."
    if not route.target:
        return
    if route.target.startswith("/"):
        parts = urlsplit(route.target)
        if parts.netloc or parts.query or parts.fragment or any(c.isspace() for c in route.target):
            yield "target", "Enter a plain URL path, such as /ws/chat/."
    else:
        for sentence in url_problems(route.target):
            yield "target", sentence
