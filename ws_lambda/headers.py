"""Which of a client's headers a project's middleware sees on `$connect`.

A client can send any header. Usually a trusted proxy removes the headers that only the proxy may set (`X-Auth-User`,
`X-Forwarded-For`, `Remote-User`), but there is no proxy in front of a WebSocket API. So a header is passed on only if
it is listed here or in FORWARDED_HEADERS. `event.headers` has all headers of the event.
"""

from typing import Final

from ws_lambda.conf import conf

BROWSER: Final = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "cookie",
        "dnt",
        "host",
        "origin",
        "pragma",
        "priority",
        "referer",
        "save-data",
        "sec-gpc",
        "te",
        "upgrade",
        "user-agent",
    }
)
"""Headers that browsers send with a WebSocket handshake, in addition to those of BROWSER_PREFIXES."""

BROWSER_PREFIXES: Final = ("sec-ch-", "sec-fetch-", "sec-websocket-")

TRACING: Final = frozenset(
    {
        "b3",
        "baggage",
        "sentry-trace",
        "traceparent",
        "tracestate",
        "uber-trace-id",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
    }
)
"""Headers for distributed tracing: W3C, B3, Sentry, Jaeger, X-Ray, Google."""

TRACING_PREFIXES: Final = ("x-b3-", "x-datadog-")

PROOF: Final = frozenset({"authorization"})
"""Headers whose values the project verifies anyway, so a forged one does no harm."""

NEVER: Final = frozenset({"content-length", "content-type", "forwarded", "sec-websocket-protocol"})
"""Headers that FORWARDED_HEADERS cannot add: those about address and body, and the one that carries tokens.

Django's error mails contain the headers of the request, so a token is only in its `gateway_event`.
"""

NEVER_PREFIXES: Final = ("x-forwarded-",)


def may_be_forwarded(name: str) -> bool:
    """Whether FORWARDED_HEADERS may name a header."""
    # WSGI spells `-` as `_`, so a name that has one would pass for another header (CVE-2015-0219).
    return "_" not in name and name.lower() not in NEVER and not name.lower().startswith(NEVER_PREFIXES)


def is_forwarded(name: str) -> bool:
    """Whether a header is passed on to middleware. `name` is in lower case."""
    if not may_be_forwarded(name):
        return False
    listed = name in BROWSER or name in TRACING or name in PROOF
    return listed or name.startswith(BROWSER_PREFIXES + TRACING_PREFIXES) or name in _added()


def _added() -> set[str]:
    return {name.lower() for name in conf.FORWARDED_HEADERS}
