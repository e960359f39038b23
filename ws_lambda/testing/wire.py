"""A client's end of a connection, without a socket."""

from collections import deque


class Inbox:
    """Keeps the messages to the client, and the close code and reason of the service."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque()
        self.close_code: int | None = None
        self.close_reason = ""

    def send(self, payload: bytes) -> None:
        """Receives a text message."""
        self.messages.append(payload.decode())

    def close(self, code: int, reason: str) -> None:
        """Receives the close frame of the service."""
        self.close_code, self.close_reason = code, reason

    def full(self) -> bool:
        """Never true, because a test reads when it wants to."""
        return False
