"""The latest events, for the live page and for tests."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ws_lambda.local.api_definition import Answer, Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One event sent to an integration, or one @connections call."""

    at: float
    kind: str
    """A route key, or "POST", "GET", "DELETE" for @connections."""

    connection_id: str
    status: int
    """The status of the answer; 0 if a fault kept the event from being sent."""

    seconds: float = 0.0
    event: Event | None = None
    answer: Answer | None = None
    sent: str = ""
    """What a POST to @connections sends to the client."""

    note: str = ""
    """The text of an error or a fault."""


class Journal:
    """The latest entries, and the listeners for new ones."""

    def __init__(self, length: int = 200) -> None:
        self.entries: deque[Entry] = deque(maxlen=length)
        self.listeners: list[Callable[[Entry], None]] = []

    def add(self, entry: Entry) -> None:
        """Adds an entry."""
        self.entries.append(entry)
        for listener in tuple(self.listeners):
            listener(entry)
