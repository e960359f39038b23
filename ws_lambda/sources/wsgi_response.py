"""Completes the response that apig-wsgi makes of a WSGI application's answer."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[str, str]]

TEXT_TYPES: Final = (
    "text/",
    "application/ecmascript",
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/problem+json",
    "application/vnd.api+json",
    "application/xml",
    "image/svg+xml",
)
"""Prefixes of the content types that are sent as text. All others are sent as base64.

A REST API decodes base64 only if its `binaryMediaTypes` contain the type or `*/*`.
"""

_IDENTITY: Final = ("Content-Encoding", "identity")
"""Makes apig-wsgi send a body as base64. `completed` removes it, so it never reaches the client."""


class _Started:
    """The `start_response` for an application. Nothing is sent until the end, so a second call replaces the first."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: Headers = []
        self.written = BytesIO()

    def __call__(self, status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
        self.status, self.headers = status, list(headers)
        return self.written.write


def collected(
    application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, event: Mapping[str, Any]
) -> Iterable[bytes]:
    """Runs the application and collects its whole response, in a form that the answer to an event can hold.

    Args:
        application: the WSGI application.
        environ: the WSGI environment of the request.
        start_response: apig-wsgi's.
        event: the event that the request came in.
    """
    started = _Started()
    chunks = application(environ, started)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    body = started.written.getvalue() + body
    headers = list(_without_repetition(_with_lowercase_type(started.headers), several_cookies=_takes_several(event)))
    if not _is_utf8(body) and not any(name.lower() == "content-encoding" for name, _value in headers):
        headers.append(_IDENTITY)
    start_response(started.status, headers)
    return [body]


def completed(answered: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Removes the header that was added for apig-wsgi, and adds the `statusDescription` for a load balancer."""
    for headers, value in ((answered.get("headers"), "identity"), (answered.get("multiValueHeaders"), ["identity"])):
        for name in ("content-encoding", "Content-Encoding"):
            if headers and headers.get(name) == value:
                del headers[name]
    if "elb" in event["requestContext"]:
        code = answered["statusCode"]
        known = code in HTTPStatus._value2member_map_
        answered["statusDescription"] = f"{code} {HTTPStatus(code).phrase}" if known else str(code)
    return answered


def _takes_several(event: Mapping[str, Any]) -> bool:
    """Whether the answer can hold several `Set-Cookie` headers under one name."""
    return "multiValueHeaders" in event or "http" in event["requestContext"]


def _without_repetition(headers: Headers, *, several_cookies: bool) -> Iterator[tuple[str, str]]:
    """Joins headers that have the same name. HTTP allows this for all headers except `Set-Cookie`.

    Args:
        headers: the headers that the application has set.
        several_cookies: whether the answer can hold several `Set-Cookie` headers. If not, each gets its own spelling
            (`Set-Cookie`, `Set-CookiE`, ...). To clients they are the same name.
    """
    joined: dict[str, tuple[str, str]] = {}
    cookies = []
    for name, value in headers:
        key = name.lower()
        if key == "set-cookie":
            cookies.append(value.strip())  # Django's values begin with a space
        elif key == "content-type":
            joined[key] = name, value
        else:
            joined[key] = (joined[key][0], f"{joined[key][1]}, {value}") if key in joined else (name, value)
    yield from joined.values()
    names = itertools.repeat("Set-Cookie") if several_cookies else _spellings("Set-Cookie")
    yield from zip(names, cookies, strict=False)


def _with_lowercase_type(headers: Headers) -> Headers:
    """Puts media types into lower case. Case has no meaning there, but apig-wsgi compares it."""
    return [(name, _lowercase_type(value) if name.lower() == "content-type" else value) for name, value in headers]


def _lowercase_type(value: str) -> str:
    media_type, semicolon, parameters = value.partition(";")
    return media_type.lower() + semicolon + parameters


def _spellings(name: str) -> Iterator[str]:
    """Yields every mixture of upper and lower case of a name, beginning with the name itself."""
    choices = ((letter, letter.swapcase()) if letter.isalpha() else (letter,) for letter in name)
    return map("".join, itertools.product(*choices))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
