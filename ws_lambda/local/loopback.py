"""Who may speak to the ports of a run: this machine, and no page of another site in this machine's browser.

A browser lets any page send requests to loopback, and a name that a stranger's DNS points at 127.0.0.1 makes it read
the answers as well (DNS rebinding). It is the browser that sets `Host`, `Origin` and `Sec-Fetch-Site`, not the page.

https://fetch.spec.whatwg.org/#http-origin, https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header
"""

import re
from collections.abc import Iterable
from typing import Protocol

NAMES = ("127.0.0.1", "[::1]", "localhost", ".localhost")
"""Names that are this machine's whatever a DNS server says. The port is not looked at: another one only means that it
is forwarded, from a container or by ssh."""

_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?", re.IGNORECASE)

FROM_ITSELF = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of a page's own requests, and of what a person types or opens."""


class Headers(Protocol):
    """A request's headers, by name in any case."""

    def get(self, name: str, /) -> str | None: ...


def foreign_host(headers: Headers, more: Iterable[str] = ()) -> str | None:
    """What is wrong with a request's `Host`, as a sentence; None where it is this machine's.

    Args:
        more: names that belong here as well, as ALLOWED_HOSTS writes them; `*` is ignored.
    """
    host = headers.get("Host") or ""
    found = _HOST.fullmatch(host)
    if found and any(_fits(found[1].lower().rstrip("."), one.lower()) for one in (*NAMES, *more)):
        return None
    return f"Host {host!r} is not this machine's: use 127.0.0.1 or localhost."


def _fits(name: str, allowed: str) -> bool:
    return name == allowed or (allowed.startswith(".") and (name.endswith(allowed) or name == allowed[1:]))


def from_a_page(headers: Headers) -> str | None:
    """For what no page is to ask at all: the sign that one does, as a sentence."""
    origin = headers.get("Origin")
    if origin is not None:
        return f"Requests of web pages are refused, and this one has an Origin, {origin!r}."
    return _across(headers)


def from_another_page(headers: Headers) -> str | None:
    """For what only this host's own page is to ask: the sign that another one does, as a sentence."""
    return foreign_origin(headers) or _across(headers)


def foreign_origin(headers: Headers) -> str | None:
    """What is wrong with a request's `Origin`, as a sentence; None where there is none, or it is this host itself."""
    origin = headers.get("Origin")
    if origin not in (None, f"http://{headers.get('Host')}"):
        return f"Only the page of this port may ask this, not one of {origin!r}."
    return None


def _across(headers: Headers) -> str | None:
    """A GET that a page does not want to read the answer of has no Origin, but this."""
    if (headers.get("Sec-Fetch-Site") or "none") not in FROM_ITSELF:
        return "Another site's page asks this."
    return None
