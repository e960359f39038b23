"""A client's request to connect, and the answer to a client that may not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

MAX_URL = 4_096
"""Characters in a URL."""

HOP_BY_HOP = frozenset({"connection", "upgrade", "keep-alive", "transfer-encoding", "te", "proxy-authorization"})
"""Headers that the gateway does not pass on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgrade:
    """An HTTP request for a WebSocket."""

    headers: tuple[tuple[str, str], ...]
    query_string: str = ""
    source_ip: str = "127.0.0.1"
    path: str = "/"

    def header(self, name: str) -> str | None:
        """The last value of a header. The name is case-insensitive."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None

    @property
    def query(self) -> dict[str, list[str]]:
        """The decoded values of the query string, by name."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query_string, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """The plain HTTP answer that a client gets instead of a connection."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    """The cause, for the developer. Not sent to the client."""
