"""The client's request to connect, and the answers it can get instead of a socket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

MAX_URL = 4_096
"""Characters in a URL."""

HOP_BY_HOP = frozenset({"connection", "upgrade", "keep-alive", "transfer-encoding", "te", "proxy-authorization"})
"""Headers that end at the gateway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgrade:
    """An HTTP request that asks for a WebSocket."""

    headers: tuple[tuple[str, str], ...]
    query_string: str = ""
    source_ip: str = "127.0.0.1"
    path: str = "/"

    def header(self, name: str) -> str | None:
        """The last value of a header, whatever the case of its name."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's values by name, decoded."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query_string, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """What a client gets instead of a connection: a plain HTTP answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    """For the person at this machine; a client is not told."""
