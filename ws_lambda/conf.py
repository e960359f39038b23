"""The one lazy, typed reader of `settings.WS_LAMBDA`.

    from ws_lambda.conf import conf

    conf.TOKEN_SECONDS

Each field below is one key of the dict, with its default. Values are read when first used and again after
Django's `setting_changed`, so `override_settings` works in tests. Bad values are reported all at once by
`manage.py check`; using one raises `ImproperlyConfigured`, which refuses `$connect`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import GenericAlias, UnionType
from typing import Any, get_args, get_origin

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The keys of `settings.WS_LAMBDA`."""

    TABLE_PREFIX: str = "ws_lambda_"
    """The prefix of every DynamoDB table's name."""

    BASE_PATH: str = "/ws/"
    """The URL path that events arrive at: `$connect` at `<BASE_PATH>connect`, a route key at its own slug."""

    ROUTE_PATHS: Mapping[str, str] = field(default_factory=dict)
    """Custom route key → URL path, where that is not `<BASE_PATH><slug>`."""

    ALLOWED_ORIGINS: tuple[str, ...] = ()
    """Exact origins (`https://www.example.com`) that may connect, in addition to those of Django's settings."""

    ALLOW_MISSING_ORIGIN: bool = False
    """Whether a client that sends no `Origin` (not a browser) may connect."""

    FORWARDED_HEADERS: tuple[str, ...] = ()
    """Further headers of a client that middleware sees on `$connect`. Those of browsers, tracing headers and
    `Authorization` are always passed on. Clients can set these headers to any value.
    """

    GATEWAY_IDS: tuple[str, ...] = ()
    """API ids whose Lambda events are accepted, in addition to registered gateways. With neither, all are accepted."""

    GATEWAY_SECRET: str | tuple[str, ...] = ()
    """The secret that API Gateway sends in HTTP proxy mode, or a list of them during rotation. Empty: no HTTP mode."""

    REQUIRE_TOKEN: bool = True
    """Whether `$connect` needs a WebSocket token; a view's `USE_WS_TOKEN` overrides it."""

    TOKEN_SECONDS: int = 60
    """How long a WebSocket token may be used, in seconds."""

    TOKENS_PER_MINUTE: int = 20
    """Tokens minted per user and minute."""

    CONNECTS_PER_MINUTE: int = 20
    """Connects per user and minute."""

    REFUSALS_PER_MINUTE: int = 20
    """Refused attempts per source address (of IPv6: per /64 network) and minute."""

    MESSAGES_PER_MINUTE: int = 600
    """Messages per connection and minute."""

    CONNECTIONS_PER_USER: int = 100
    """Connections that a user may have open at once. Anonymous ones are not counted."""

    CHANNELS_PER_CONNECTION: int = 50
    """Channels that a connection may be in at once. Longer lists of names cost more write units per message."""

    UNLISTED_CHANNELS: str = "authenticated"
    """Who may join a channel that no permission names: "authenticated", "anyone" or "nobody"."""

    REVALIDATE_USER_SECONDS: int = 60
    """Seconds after which a connection's next message has its user read and checked again.

    The schedule checks the user of each connection every half hour.
    """

    PERMISSION_CACHE_SECONDS: int = 30
    """How old a process's copy of channel permissions and gateway records may be, in seconds."""

    GROUP_PERMISSIONS: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Group → its permissions (`app_label.codename`), for `ws_lambda.users`."""

    HISTORY: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Channel, or prefix ending in `*` → (messages replayed, seconds kept)."""

    CHANNEL_SHARDS: Mapping[str, int] = field(default_factory=dict)
    """Channel, or prefix ending in `*` → how many partitions its membership is spread over."""

    FANOUT_INLINE_MAX: int = 2_000
    """The caller sends to up to this many recipients itself. More go through the queue, if there is one."""

    FANOUT_QUEUE_URL: str = ""
    """The SQS queue for big broadcasts. Empty: the caller sends everything."""

    FANOUT_MAX_RPS: int = 8_000
    """Sends per second and process; 0 for no limit. The account's default quota is 10,000/s, shared with incoming
    requests."""

    FANOUT_CONNECTIONS: int = 128
    """Requests to `@connections` in flight at once, per process; so also its open connections.

    At 8,000 requests per second and 15 ms each, 120 are in flight.
    """

    FANOUT_WORKERS: int = 4
    """Key ranges that a queued broadcast is split into. Its workers share FANOUT_MAX_RPS."""

    ENDPOINT_URL: str = ""
    """The `@connections` endpoint of new sessions. Empty: it is derived from the event."""

    WEBSOCKET_URL: str = ""
    """The wss:// URL that is returned with a token. Empty: that of the only registered gateway."""

    SESSION_RETENTION_SECONDS: int = 86_400
    """How long the record of a closed connection is kept, in seconds."""

    EVENT_FUNCTIONS: tuple[str, ...] = ()
    """Dotted paths of functions that schedules, SNS messages and S3 notifications may ask for, in addition to those of
    `events` in `zappa_settings.json`."""

    INTEGRATION_HOSTS: tuple[str, ...] = ()
    """Hosts that an HTTP integration may call. Empty: those of ALLOWED_HOSTS."""


DEFAULTS = Settings()

_WORDS: Mapping[Any, str] = {int: "a number (0 or more)", str: "a string", bool: "True or False"}


def _is_a(value: object, wanted: Any) -> bool:
    """Whether `value`, as a settings file would write it, has the type of a field. Lists pass for tuples."""
    if isinstance(wanted, UnionType):
        return any(_is_a(value, one) for one in get_args(wanted))
    if isinstance(wanted, GenericAlias) or get_origin(wanted):
        inner = get_args(wanted)
        if get_origin(wanted) is tuple and isinstance(value, (list, tuple)):
            kinds = (inner[0],) * len(value) if inner[-1] is Ellipsis else inner
            return len(value) == len(kinds) and all(map(_is_a, value, kinds))
        if isinstance(value, Mapping) and get_origin(wanted) is not tuple:
            return all(_is_a(k, inner[0]) and _is_a(v, inner[1]) for k, v in value.items())
        return False
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, wanted)


def _in_words(wanted: Any) -> str:
    """The type of a field, in the words of an error message."""
    if wanted in _WORDS:
        return _WORDS[wanted]
    inner = get_args(wanted)
    if isinstance(wanted, UnionType):
        return " or ".join(map(_in_words, inner))
    if get_origin(wanted) is not tuple:
        return f"a dict, from {_in_words(inner[0])} to {_in_words(inner[1])}"
    if inner[-1] is Ellipsis:
        return f"a list or tuple, each item {_in_words(inner[0])}"
    return f"({', '.join(map(_in_words, inner))})"


def problems(raw: object) -> list[tuple[str, str]]:
    """What is wrong with a WS_LAMBDA dict, as (key, sentence); key "" for the dict itself."""
    if not isinstance(raw, Mapping):
        return [("", f"WS_LAMBDA must be a dict, not {type(raw).__name__}.")]
    known = {f.name: f.type for f in fields(Settings)}
    found = []
    for key, value in raw.items():
        if key not in known:
            found.append((str(key), f"WS_LAMBDA has no key {key!r}. Its keys are {', '.join(sorted(known))}."))
        elif not _is_a(value, known[key]):
            found.append((key, f"WS_LAMBDA[{key!r}] must be {_in_words(known[key])}."))
        elif key in _DEMANDS and not _DEMANDS[key][0](value):
            found.append((key, f"WS_LAMBDA[{key!r}] must {_DEMANDS[key][1]}."))
    return found


MOST_CONNECTIONS = 10_000
MOST_CHANNELS = 1_000
"""Half of what fits into an item of DynamoDB (400 KB), or less.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

_POSITIVE = (bool, "be 1 or more")
_HTTP_URL = (re.compile(r"(https?://.+)?").fullmatch, "start with https://, or http:// on this machine")
_DEMANDS: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "TABLE_PREFIX": (re.compile(r"[\w.-]{0,200}", re.ASCII).fullmatch, "have letters, digits, _, . and - only"),
    "BASE_PATH": (re.compile(r"/(.*/)?").fullmatch, 'start and end with "/"'),
    "ROUTE_PATHS": (
        lambda paths: all(path.startswith("/") for path in paths.values()),
        'have paths that start with "/"',
    ),
    "UNLISTED_CHANNELS": (
        ("authenticated", "anyone", "nobody").__contains__,
        "be 'authenticated', 'anyone' or 'nobody'",
    ),
    "TOKEN_SECONDS": _POSITIVE,
    "CONNECTIONS_PER_USER": (lambda limit: limit <= MOST_CONNECTIONS, f"be {MOST_CONNECTIONS:,} or less"),
    "CHANNELS_PER_CONNECTION": (lambda limit: 1 <= limit <= MOST_CHANNELS, f"be 1 to {MOST_CHANNELS:,}"),
    "CHANNEL_SHARDS": (lambda shards: all(shards.values()), "have numbers of 1 or more"),
    "FANOUT_CONNECTIONS": _POSITIVE,
    "FANOUT_WORKERS": _POSITIVE,
    "FANOUT_QUEUE_URL": _HTTP_URL,
    "ENDPOINT_URL": _HTTP_URL,
    "WEBSOCKET_URL": (re.compile(r"(wss?://.+)?").fullmatch, "start with wss://, or ws:// on this machine"),
}
"""Further conditions on a value of the right type."""


class _Lazy:
    """`Settings`, read on first use and after every change."""

    _settings: Settings | None = None

    def __getattr__(self, name: str) -> Any:
        if self._settings is None:
            raw = getattr(settings, "WS_LAMBDA", {})
            if wrong := [sentence for _key, sentence in problems(raw)]:
                raise ImproperlyConfigured(" ".join(wrong))
            frozen: dict[str, Any] = {str(k): tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            self._settings = Settings(**frozen)
        return getattr(self._settings, name)

    def reload(self, *, setting: str = "WS_LAMBDA", **_kwargs: object) -> None:
        """Forgets what was read. Called by Django's `setting_changed`."""
        if setting == "WS_LAMBDA":
            self._settings = None


def gateway_secrets() -> tuple[str, ...]:
    """The values of GATEWAY_SECRET, which may be one or a list; the first is what new integrations send."""
    given = conf.GATEWAY_SECRET
    return tuple(filter(None, [given] if isinstance(given, str) else given))


conf: Settings = _Lazy()  # type: ignore[assignment]
setting_changed.connect(conf.reload, dispatch_uid="ws_lambda.conf")  # type: ignore[attr-defined]
