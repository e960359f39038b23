"""What a gateway record may say, checked before AWS is asked: AWS's own messages name no field."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http.request import validate_host

from ws_lambda import aws
from ws_lambda.channels import MAX_NAME_LENGTH, NAME_PATTERN
from ws_lambda.conf import conf, gateway_secrets
from ws_lambda.events import FIXED_ROUTES
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Integration, Status

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
MAX_ROUTES = 300
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}")
_STAGE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SELECTION = re.compile(r"\$request\.body\.\w[\w.-]*|.*\$\{request\.body\.\w[\w.-]*\}.*")
_API_KEY_SELECTION = ("$request.header.x-api-key", "$context.authorizer.usageIdentifierKey")
_FUNCTION = re.compile(r"arn:aws[\w-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,64}(:[\w$-]{1,128})?")
_CERTIFICATE = re.compile(r"arn:aws[\w-]*:acm:([a-z0-9-]+):\d{12}:certificate/[\w-]+")
_ZONE = re.compile(r"[A-Z0-9]{1,32}")
_LOG = re.compile(r"arn:aws[\w-]*:(logs:[a-z0-9-]+:\d{12}:log-group:|firehose:[a-z0-9-]+:\d{12}:deliverystream/).+")
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")

Problem = tuple[str, str]
"""The name of the field, and a sentence that says what to do."""


def check(record: ApiGateway) -> None:
    """Raises ValidationError, with a list of sentences for each field that is wrong."""
    found: dict[str, list[str]] = {}
    for field, sentence in problems(record):
        found.setdefault(field, []).append(sentence)
    if found:
        raise ValidationError({field: list(sentences) for field, sentences in found.items()})


def fixed(record: ApiGateway) -> tuple[str, ...]:
    """The fields that name what AWS already has: another name would leave that behind."""
    made = ("integration", "stage_name", "route_key") if record.reached(Status.API_CREATED) else ()
    return (*made, "domain_name") if record.reached(Status.DOMAIN_CREATED) else made


def check_fixed(stored: ApiGateway, edited: ApiGateway) -> None:
    """Raises ValidationError for every field that was changed and cannot change any more."""
    changed = [name for name in fixed(stored) if getattr(stored, name) != getattr(edited, name)]
    if changed:
        raise ValidationError(
            {name: [f"AWS has {getattr(stored, name)!r} already: make another gateway instead."] for name in changed}
        )


def problems(record: ApiGateway) -> Iterator[Problem]:
    """Everything that is wrong with a record."""
    yield from _api(record)
    yield from _integration(record)
    yield from _domain(record)
    yield from _stage(record)
    yield from _tags(record.tags)
    yield from _routes(record)


def _api(record: ApiGateway) -> Iterator[Problem]:
    if not _NAME.fullmatch(record.api_name):
        yield "api_name", "Start with a letter or digit; then letters, digits, spaces and . _ - up to 128."
    channel = record.default_channel_name
    if channel and (len(channel) > MAX_NAME_LENGTH or not NAME_PATTERN.fullmatch(channel)):
        yield "default_channel_name", f"Letters, digits and _ . : @ -, up to {MAX_NAME_LENGTH}."
    if len(record.api_description) > 1024:
        yield "api_description", "At most 1024 characters."
    if not _SELECTION.fullmatch(record.route_selection_expression):
        yield "route_selection_expression", "Name a field of the message, such as $request.body.action."
    if record.api_key_selection_expression not in _API_KEY_SELECTION:
        yield "api_key_selection_expression", f"API Gateway knows only {' and '.join(_API_KEY_SELECTION)}."
    if record.route_key != "$default" and not _KEY.fullmatch(record.route_key):
        yield "route_key", "Give $default, or a key of letters, digits, _ . and -."


def _integration(record: ApiGateway) -> Iterator[Problem]:
    if record.integration == Integration.LAMBDA:
        if not _FUNCTION.fullmatch(record.lambda_function_arn):
            yield "lambda_function_arn", "Give the ARN of the Lambda function that answers."
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
            "End it with a slash: connect, disconnect and default are appended to it.",
        )
    secret = gateway_secret()
    if not secret:
        yield (
            "integration",
            "Set WS_LAMBDA['GATEWAY_SECRET'] first: without it nothing proves who is calling.",
        )
    elif "'" in secret or not secret.isprintable() or not secret.isascii():
        yield (
            "integration",
            "GATEWAY_SECRET travels in a header: printable ASCII without a quote mark, please.",
        )


def url_problems(url: str) -> Iterator[str]:
    """What is wrong with an address that API Gateway is to call."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        yield "This is not a URL."
        return
    local = settings.DEBUG and parts.scheme == "http" and host in LOOPBACK
    if parts.scheme != "https" and not local:
        yield "Give an https:// URL: the gateway secret travels with every request."
    if parts.username or parts.password or parts.query or parts.fragment:
        yield "No user name, query or fragment, please."
    if not host or not validate_host(host, conf.INTEGRATION_HOSTS or settings.ALLOWED_HOSTS):
        yield f"The host {host!r} is in neither WS_LAMBDA['INTEGRATION_HOSTS'] nor ALLOWED_HOSTS."


def gateway_secret() -> str:
    """The secret that new integrations send: the first, while several are accepted; "" where none is set."""
    return next(iter(gateway_secrets()), "")


def _domain(record: ApiGateway) -> Iterator[Problem]:
    certificate = _CERTIFICATE.fullmatch(record.certificate_arn)
    if record.domain_name and not _DOMAIN.fullmatch(record.domain_name):
        yield "domain_name", "Give a host name in lower case, such as ws.example.com."
    if record.domain_name and not record.certificate_arn:
        yield "certificate_arn", "A custom domain needs an ACM certificate."
    if record.certificate_arn and not certificate:
        yield "certificate_arn", "Give the ARN of an ACM certificate."
    if certificate and certificate[1] != aws.region():
        yield "certificate_arn", f"The certificate must be in the region of the API, {aws.region()}."
    if record.hosted_zone_id and not _ZONE.fullmatch(record.hosted_zone_id):
        yield "hosted_zone_id", "Give the id of a Route 53 hosted zone: capitals and digits, no /hostedzone/."
    if not record.domain_name and (record.certificate_arn or record.hosted_zone_id):
        yield "domain_name", "Say which domain the certificate or hosted zone is for."


def _stage(record: ApiGateway) -> Iterator[Problem]:
    if not _STAGE.fullmatch(record.stage_name):
        yield "stage_name", "Letters, digits, _ and -, up to 128."
    if len(record.stage_description) > 1024:
        yield "stage_description", "At most 1024 characters."
    for field in ("throttling_rate", "throttling_burst"):
        value = getattr(record, field)
        if value is not None and value <= 0:
            yield field, "More than nothing, or leave it empty for the account's quota."
    if (record.throttling_rate is None) != (record.throttling_burst is None):
        yield "throttling_burst", "Give both a rate and a burst, or neither."
    if record.access_log_arn and not _LOG.fullmatch(record.access_log_arn):
        yield "access_log_arn", "Give the ARN of a CloudWatch log group or a Firehose stream."


def _tags(tags: object) -> Iterator[Problem]:
    if not isinstance(tags, Mapping) or not all(isinstance(x, str) for pair in tags.items() for x in pair):
        yield "tags", 'Give an object of strings, such as {"team": "web"}.'
        return
    if len(tags) > 49:
        yield "tags", "At most 49: AWS allows 50, and one is ours."
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            yield "tags", f"{key!r}: a key has 1 to 128 characters, a value at most 256."
        if key.lower().startswith(("aws:", "ws-lambda:")):
            yield "tags", f"{key!r}: names that start with aws: or ws-lambda: are taken."


def _routes(record: ApiGateway) -> Iterator[Problem]:
    if len(record.additional_routes) > MAX_ROUTES - 3:
        yield "additional_routes", f"API Gateway allows {MAX_ROUTES} routes, three of which are our own."
    seen = {*FIXED_ROUTES, record.route_key}
    for route in record.additional_routes:
        for _field, sentence in route_problems(route, record.integration):
            yield "additional_routes", f"{route.route_key or route.name}: {sentence}"
        if route.route_key in seen:
            yield "additional_routes", f"{route.route_key}: this route key is already taken."
        seen.add(route.route_key)


def route_problems(route: AdditionalRoute, integration: str) -> Iterator[Problem]:
    """What is wrong with one additional route by itself."""
    if not route.name or len(route.name) > 128:
        yield "name", "Give it a name of at most 128 characters."
    if not _KEY.fullmatch(route.route_key):
        yield "route_key", "Letters, digits, _ . and -, up to 128."
    if not route.target:
        return
    if route.target.startswith("/"):
        parts = urlsplit(route.target)
        if parts.netloc or parts.query or parts.fragment or any(c.isspace() for c in route.target):
            yield "target", "Give a plain URL path, such as /ws/chat/."
    else:
        for sentence in url_problems(route.target):
            yield "target", sentence
