"""A client's end of a connection, without a socket."""

from collections import deque


class Inbox:
    """Keeps what was sent to the client, and how the service closed."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque()
        self.close_code: int | None = None
        self.close_reason = ""

    def send(self, payload: bytes) -> None:
        """A text message arrives."""
        self.messages.append(payload.decode())

    def close(self, code: int, reason: str) -> None:
        """The service closes."""
        self.close_code, self.close_reason = code, reason

    def full(self) -> bool:
        """Never: a test reads when it likes."""
        return False
