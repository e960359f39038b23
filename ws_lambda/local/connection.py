"""One open connection, and the wire to its client."""

from dataclasses import dataclass, field
from typing import Protocol

from ws_lambda.local.upgrade import Upgrade


class Wire(Protocol):
    """The client's end: a socket, or a list in a test."""

    def send(self, payload: bytes) -> None:
        """Sends a text message of at most 128 KB, in frames of at most 32 KB."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Closes the socket with a close frame."""
        ...

    def full(self) -> bool:
        """Whether the client reads too slowly to take more."""
        ...


@dataclass(eq=False, kw_only=True, slots=True)
class Connection:
    """A connection whose `$connect` has been accepted."""

    connection_id: str
    upgrade: Upgrade
    connected_at: float
    """Seconds since the epoch."""

    last_active_at: float
    """When data was last sent in either direction, in seconds since the epoch."""

    subprotocol: str | None = None
    authorizer: dict[str, object] | None = None
    messages_in: int = 0
    messages_out: int = 0
    wire: Wire | None = None
    _waiting: list[bytes] = field(default_factory=list)

    def attach(self, wire: Wire) -> None:
        """Sets the wire, and sends the messages that were posted since `$connect` returned."""
        self.wire = wire
        for payload in self._waiting:
            wire.send(payload)
        self._waiting.clear()

    def send(self, payload: bytes, now: float) -> bool:
        """Sends a text message. Returns False if the client's buffer is full. Invalid UTF-8 becomes U+FFFD."""
        if self.wire is not None and self.wire.full():
            return False
        text = payload.decode("utf-8", "replace").encode()
        self.last_active_at = now
        self.messages_out += 1
        if self.wire is None:
            self._waiting.append(text)
        else:
            self.wire.send(text)
        return True
