"""What apig-wsgi leaves open in the response to an HTTP event."""

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
"""Beginnings of the content types that are sent as text; all others are sent in base64.

A REST API returns base64 as it is unless its `binaryMediaTypes` has the type, or `*/*`.
"""

_AS_IT_IS: Final = ("Content-Encoding", "identity")
"""Makes apig-wsgi send a body in base64. It never reaches the client."""


class _Started:
    """The `start_response` of an application. Nothing is sent before its end, so a later call replaces an earlier."""

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
    """Runs the application to the end of its response, and passes that on in a form that an event's answer can have.

    Args:
        application: answers the request.
        environ: the request.
        start_response: of apig-wsgi.
        event: the request as it came.
    """
    started = _Started()
    chunks = application(environ, started)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    body = started.written.getvalue() + body
    headers = list(_without_repetition(started.headers, several_cookies=_takes_several(event)))
    if not _is_utf8(body) and not any(name.lower() == "content-encoding" for name, _value in headers):
        headers.append(_AS_IT_IS)
    start_response(started.status, headers)
    return [body]


def completed(answered: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """The answer without what was added for apig-wsgi, and with what a load balancer wants."""
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
    """Whether a header of the answer can have several values, as those of the event then have."""
    return "multiValueHeaders" in event or "http" in event["requestContext"]


def _without_repetition(headers: Headers, *, several_cookies: bool) -> Iterator[tuple[str, str]]:
    """Joins headers of one name, as HTTP allows for all but `Set-Cookie`.

    Args:
        headers: as the application has set them.
        several_cookies: whether an answer can hold `Set-Cookie` several times. Where it cannot, each gets a spelling
            of its own (`Set-Cookie`, `Set-CookiE`, ...), which are one name to every client.
    """
    joined: dict[str, tuple[str, str]] = {}
    cookies = []
    for name, value in headers:
        key = name.lower()
        if key == "set-cookie":
            cookies.append(value.strip())  # Django puts a space in front, which servers take for that after the colon
        else:
            joined[key] = (joined[key][0], f"{joined[key][1]}, {value}") if key in joined else (name, value)
    yield from joined.values()
    names = itertools.repeat("Set-Cookie") if several_cookies else _spellings("Set-Cookie")
    yield from zip(names, cookies, strict=False)


def _spellings(name: str) -> Iterator[str]:
    """A name in every mixture of upper and lower case, itself first."""
    choices = ((letter, letter.swapcase()) if letter.isalpha() else (letter,) for letter in name)
    return map("".join, itertools.product(*choices))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
