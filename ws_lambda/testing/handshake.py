"""The HTTP request that a client opens a connection with."""

from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from ws_lambda.local.upgrade import Upgrade

SOURCE_IP = "203.0.113.9"
"""The address that clients come from, unless a test says otherwise."""

USER_AGENT = "ws_lambda.testing"
"""The User-Agent of clients, unless a test says otherwise."""

BROWSER = {
    "User-Agent": USER_AGENT,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
}
"""The headers that a browser sends with every handshake."""


def handshake(
    *,
    token: str = "",
    channel: str | None = None,
    query: Mapping[str, str | Sequence[str]] | None = None,
    headers: Mapping[str, str | None] | None = None,
    cookies: Mapping[str, str] | None = None,
    subprotocols: tuple[str, ...] = (),
    origin: str | None = None,
    source_ip: str = SOURCE_IP,
) -> Upgrade:
    """Builds the request. See `WebSocketTestClient` for the arguments.

    Raises:
        TypeError: `subprotocols` is a string.
    """
    if isinstance(subprotocols, str):
        raise TypeError(f"subprotocols must be a tuple of names, such as ({subprotocols!r},).")
    asked = dict(query or {})
    if channel is not None:
        asked["channel"] = channel
    if token:
        asked["ws_token"] = token
    sent: dict[str, str | None] = {**BROWSER, "Origin": origin}
    if subprotocols:
        sent["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    if cookies:
        sent["Cookie"] = SimpleCookie(cookies).output(header="", sep=";").strip()
    return Upgrade(
        headers=_replaced(sent, headers or {}), query_string=urlencode(asked, doseq=True), source_ip=source_ip
    )


def _replaced(default: Mapping[str, str | None], own: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """The default headers, replaced by those that have the same name in any case. Those that are None are left out."""
    chosen = {name.lower(): (name, value) for headers in (default, own) for name, value in headers.items()}
    return tuple((name, value) for name, value in chosen.values() if value is not None)
