"""The HTTP request that a client opens a connection with."""

from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from ws_lambda.local.upgrade import Upgrade

SOURCE_IP = "203.0.113.9"
"""The address that clients come from, unless a test says otherwise."""

BROWSER = {
    "User-Agent": "ws_lambda.testing",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
}
"""The headers that a browser sends with every handshake."""


def handshake(
    *,
    token: str = "",
    channel: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
    subprotocols: tuple[str, ...] = (),
    origin: str | None = None,
    source_ip: str = SOURCE_IP,
) -> Upgrade:
    """Builds the request. See `WebSocketTestClient` for the arguments."""
    asked = dict(query or {})
    if channel is not None:
        asked["channel"] = channel
    if token:
        asked["ws_token"] = token
    sent = dict(BROWSER)
    if origin is not None:
        sent["Origin"] = origin
    if subprotocols:
        sent["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
    if cookies:
        sent["Cookie"] = SimpleCookie(cookies).output(header="", sep=";").strip()
    sent |= headers or {}
    return Upgrade(headers=tuple(sent.items()), query_string=urlencode(asked), source_ip=source_ip)
