"""Who may use the ports of a run: programs on this machine, but no page of another site in its browser.

A browser lets any page send requests to loopback addresses. If the page's host name resolves to 127.0.0.1 (DNS
rebinding), the page can also read the answers. But `Host`, `Origin` and `Sec-Fetch-Site` are set by the browser, not by
the page.

https://fetch.spec.whatwg.org/#http-origin, https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header
"""

import re
from collections.abc import Iterable
from typing import Protocol

NAMES = ("127.0.0.1", "[::1]", "localhost", ".localhost")
"""Names that mean this machine, whatever a DNS server says. The port is ignored: a different one only means that it is
forwarded, from a container or by ssh."""

_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?", re.IGNORECASE)

FROM_ITSELF = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of requests that a page sends to itself, and of addresses that a person types or opens."""


class Headers(Protocol):
    """The headers of a request. Names are case-insensitive."""

    def get(self, name: str, /) -> str | None: ...


def foreign_host(headers: Headers, more: Iterable[str] = ()) -> str | None:
    """Says why a request's `Host` is refused; None if it is a name of this machine.

    Args:
        more: further names that are accepted, in the form of ALLOWED_HOSTS. `*` is ignored.
    """
    host = headers.get("Host") or ""
    found = _HOST.fullmatch(host)
    if found and any(_fits(found[1].lower().rstrip("."), one.lower()) for one in (*NAMES, *more)):
        return None
    return f"Host {host!r} is no name of this machine: use 127.0.0.1 or localhost."


def _fits(name: str, allowed: str) -> bool:
    return name == allowed or (allowed.startswith(".") and (name.endswith(allowed) or name == allowed[1:]))


def from_a_page(headers: Headers) -> str | None:
    """Says why a request is refused that may come from no web page; None if it is not refused."""
    origin = headers.get("Origin")
    if origin is not None:
        return f"Web pages may not send this request, and it has the Origin {origin!r}."
    return _across(headers)


def from_another_page(headers: Headers) -> str | None:
    """Says why a request is refused that may come only from this host's own page; None if it is not refused."""
    return foreign_origin(headers) or _across(headers)


def foreign_origin(headers: Headers) -> str | None:
    """Says why a request's `Origin` is refused; None if it has none, or this host's."""
    origin = headers.get("Origin")
    if origin not in (None, f"http://{headers.get('Host')}"):
        return f"Only the page of this port may send this request, not a page of {origin!r}."
    return None


def _across(headers: Headers) -> str | None:
    """A GET whose answer the page does not read has no `Origin`, but it has `Sec-Fetch-Site`."""
    if (headers.get("Sec-Fetch-Site") or "none") not in FROM_ITSELF:
        return "A page of another site sent this request."
    return None
