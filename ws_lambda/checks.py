"""`manage.py check`: what is wrong with WS_LAMBDA, and, with `--deploy`, what is dangerous in production.

E001  an unknown key             W001  no view serves BASE_PATH
E002  a bad value                W101  REQUIRE_TOKEN is off
E003  not an origin              W102  ALLOW_MISSING_ORIGIN is on
E004  not a channel pattern      W103  ALLOWED_HOSTS has "*"
E005  not a header to forward    W104  an http origin is allowed
E006  not a function             W105  a gateway secret is short
                                 W106  every gateway is trusted
                                 W107  anyone may join unlisted channels
                                 W108  a limit is 0
                                 W109  TOKEN_SECONDS is long
                                 W110  an unencrypted endpoint
                                 W111  REVALIDATE_USER_SECONDS is long
                                 W112  PERMISSION_CACHE_SECONDS is long
                                 W113  any user may join any channel
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.urls import Resolver404, URLResolver, get_resolver, resolve
from django.utils.module_loading import import_string

from ws_lambda import aws, channels, headers
from ws_lambda.conf import conf, gateway_secrets, problems
from ws_lambda.gatekeeping.trust import allowed_ids
from ws_lambda.models.channel_permissions import ChannelPermission

LONGEST_TOKEN_SECONDS = 300
SHORTEST_SECRET = 32
LONGEST_REVALIDATION = 900
LONGEST_CACHE = 300
RULES = {"can_join_channel", "get_channel_permission"}
"""Methods of a view that say who may be in a channel."""

LIMITS = (
    "REFUSALS_PER_MINUTE",
    "CONNECTS_PER_MINUTE",
    "TOKENS_PER_MINUTE",
    "MESSAGES_PER_MINUTE",
    "CONNECTIONS_PER_USER",
)


def _error(number: int, message: str, hint: str = "") -> Error:
    return Error(message, hint=hint or None, id=f"ws_lambda.E{number:03}")


def _warning(number: int, message: str, hint: str) -> Warning:
    return Warning(message, hint=hint, id=f"ws_lambda.W{number:03}")


@register(Tags.compatibility)
def check_settings(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """Keys, values and names."""
    raw = getattr(settings, "WS_LAMBDA", {})
    wrong = problems(raw)
    if wrong:
        return [_error(1 if "no key" in sentence else 2, sentence) for _key, sentence in wrong]
    return [*_bad_origins(), *_bad_patterns(), *_bad_headers(), *_bad_functions()]


@register(Tags.urls)
def check_urls(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """A view must answer at the path that events arrive at."""
    if problems(getattr(settings, "WS_LAMBDA", {})) or not getattr(settings, "ROOT_URLCONF", None):
        return []
    path = f"{conf.BASE_PATH}connect"
    try:
        resolve(path)
    except Resolver404:
        hint = 'Add path("ws/<slug:route>", YourWebSocketView.as_view()) to the URLconf, or set BASE_PATH.'
        return [_warning(1, f"No view serves {path}, so every $connect will be refused.", hint)]
    return []


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """What is dangerous in production only."""
    if problems(getattr(settings, "WS_LAMBDA", {})):
        return []
    return [
        *_weak_identity(),
        *_weak_origins(),
        *_weak_secrets(),
        *_weak_limits(),
        *_unencrypted(),
        *_weak_channels(),
    ]


def _bad_origins() -> Iterator[CheckMessage]:
    for origin in conf.ALLOWED_ORIGINS:
        parsed = urlsplit(origin)
        if parsed.scheme not in ("http", "https") or not parsed.netloc or parsed.path.strip("/") or "*" in origin:
            yield _error(
                3,
                f"ALLOWED_ORIGINS contains {origin!r}, which is not an origin.",
                "Write the scheme, the host and any non-default port: https://www.example.com. To allow all "
                "subdomains, use CSRF_TRUSTED_ORIGINS or ALLOWED_HOSTS.",
            )


def _bad_patterns() -> Iterator[CheckMessage]:
    for setting in ("HISTORY", "CHANNEL_SHARDS"):
        for pattern in getattr(conf, setting):
            name = pattern.removesuffix("*")
            if name and not channels.NAME_PATTERN.fullmatch(name):
                yield _error(
                    4, f"{setting} contains {pattern!r}, which is neither a channel name nor a prefix ending in *."
                )


def _bad_headers() -> Iterator[CheckMessage]:
    for name in conf.FORWARDED_HEADERS:
        if not re.fullmatch(r"[A-Za-z0-9-]+", name):
            yield _error(5, f"FORWARDED_HEADERS contains {name!r}, which is not a header name.")
        elif not headers.may_be_forwarded(name):
            hint = "Remove it. Clients could forge it; API Gateway itself reports the address and host of an event."
            yield _error(5, f"FORWARDED_HEADERS contains {name!r}, which is never forwarded.", hint)


def _bad_functions() -> Iterator[CheckMessage]:
    for name in conf.EVENT_FUNCTIONS:
        try:
            found = import_string(name)
        except ImportError as error:
            yield _error(6, f"EVENT_FUNCTIONS has {name!r}, which cannot be imported: {error}")
            continue
        if not callable(found):
            yield _error(6, f"EVENT_FUNCTIONS has {name!r}, which is not a function.")


def _weak_identity() -> Iterator[CheckMessage]:
    where = "REQUIRE_TOKEN is off." if not conf.REQUIRE_TOKEN else _view_without_token()
    if where:
        hint = "Require tokens. With only a cookie, any page that may connect can act as its visitor."
        yield _warning(101, where, hint)
    if conf.REVALIDATE_USER_SECONDS > LONGEST_REVALIDATION:
        hint = (
            f"Use {LONGEST_REVALIDATION} seconds or less. A user who is deactivated without a signal keeps the "
            "connection for that long."
        )
        yield _warning(111, f"REVALIDATE_USER_SECONDS is {conf.REVALIDATE_USER_SECONDS}.", hint)
    if conf.PERMISSION_CACHE_SECONDS > LONGEST_CACHE:
        hint = f"Use {LONGEST_CACHE} seconds or less. A gateway that was removed stays trusted for that long."
        yield _warning(112, f"PERMISSION_CACHE_SECONDS is {conf.PERMISSION_CACHE_SECONDS}.", hint)
    if conf.TOKEN_SECONDS > LONGEST_TOKEN_SECONDS:
        hint = f"Use {LONGEST_TOKEN_SECONDS} seconds or less. Clients request a token just before they connect."
        yield _warning(109, f"TOKEN_SECONDS is {conf.TOKEN_SECONDS}.", hint)
    if conf.UNLISTED_CHANNELS == "anyone":
        hint = 'Set UNLISTED_CHANNELS to "authenticated", and give public channels the access level allow_all.'
        yield _warning(107, "Anyone may join any channel that has no permission.", hint)


def _view_without_token() -> str:
    """A sentence about the view at BASE_PATH, if that view does not require a token."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return ""
    try:
        found = resolve(f"{conf.BASE_PATH}connect").func
    except Resolver404:
        return ""
    view = getattr(found, "view_class", None)
    given = getattr(found, "view_initkwargs", {})
    off = given.get("USE_WS_TOKEN", getattr(view, "USE_WS_TOKEN", None)) is False
    return f"{view.__name__}.USE_WS_TOKEN is off." if off and view is not None else ""


def _weak_origins() -> Iterator[CheckMessage]:
    if conf.ALLOW_MISSING_ORIGIN:
        hint = "Browsers always send an Origin. Turn ALLOW_MISSING_ORIGIN off unless no client is a browser."
        yield _warning(102, "Clients that send no Origin may connect.", hint)
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Name your hosts, or list origins in ALLOWED_ORIGINS. The * is ignored for origins."
        yield _warning(103, "ALLOWED_HOSTS contains *.", hint)
    for origin in conf.ALLOWED_ORIGINS:
        if origin.startswith("http:"):
            yield _warning(
                104,
                f"ALLOWED_ORIGINS contains {origin!r}.",
                "Use https. In production, only https origins may connect.",
            )


def _weak_secrets() -> Iterator[CheckMessage]:
    if any(len(secret) < SHORTEST_SECRET for secret in gateway_secrets()):
        hint = 'Generate one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        yield _warning(105, f"A GATEWAY_SECRET has fewer than {SHORTEST_SECRET} characters.", hint)
    if not allowed_ids():
        hint = (
            "List the API's id in GATEWAY_IDS, or register the API. Until then, every API that can invoke the function "
            "is trusted."
        )
        yield _warning(106, "GATEWAY_IDS is empty.", hint)


def _weak_limits() -> Iterator[CheckMessage]:
    for name in LIMITS:
        if getattr(conf, name) == 0:
            whom = "everyone without a valid token" if name == "REFUSALS_PER_MINUTE" else "everyone"
            yield _warning(108, f"{name} is 0, which refuses {whom}.", "Set a limit of at least 1.")


def _unencrypted() -> Iterator[CheckMessage]:
    for name, scheme in (("ENDPOINT_URL", "https"), ("WEBSOCKET_URL", "wss")):
        value = getattr(conf, name)
        if value and urlsplit(value).scheme != scheme:
            yield _warning(
                110, f"{name} is {value!r}.", f"Use a URL that starts with {scheme}://. Others are not encrypted."
            )


def _weak_channels() -> Iterator[CheckMessage]:
    """Warns unless UNLISTED_CHANNELS is set or a view has a rule. Reads the table only if neither is so."""
    if "UNLISTED_CHANNELS" in getattr(settings, "WS_LAMBDA", {}) or any(map(_has_rule, _served_views())):
        return
    listed = _is_any_channel_listed()
    if listed:
        return
    hint = (
        "Add permissions with manage.py ws_permissions, or write can_join_channel in the view. "
        'If any user may join any channel on purpose, set UNLISTED_CHANNELS to "authenticated".'
    )
    if listed is None:
        hint += " The stored permissions could not be read from here, so some may exist."
    yield _warning(113, "Any user may join any channel: UNLISTED_CHANNELS is at its default.", hint)


def _served_views() -> Iterator[type]:
    """The classes of the views in the URLconf."""
    if getattr(settings, "ROOT_URLCONF", None):
        yield from _classes(get_resolver())


def _classes(resolver: URLResolver) -> Iterator[type]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _classes(one)
        elif view := getattr(one.callback, "view_class", None):
            yield view


def _has_rule(view: type) -> bool:
    """Whether the project has its own rule, in this view, about who may be in a channel."""
    mine = (cls for cls in view.__mro__ if not cls.__module__.startswith("ws_lambda."))
    return hasattr(view, "can_join_channel") and any(not RULES.isdisjoint(vars(cls)) for cls in mine)


def _is_any_channel_listed() -> bool | None:
    """Whether a permission is stored; None where DynamoDB cannot be asked, as in a build without AWS."""
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    once = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
    try:
        client: Any = aws.session().create_client("dynamodb", region_name=aws.region(), config=once)
        return bool(client.scan(TableName=ChannelPermission.Meta.table_name, Limit=1)["Items"])
    except ClientError as error:
        return False if error.response["Error"]["Code"] == aws.NO_TABLE else None
    except BotoCoreError:
        return None
