"""Counters for limits per minute, and a process's memory of them."""

from ws_lambda import process_state
from ws_lambda.models.counting import count
from ws_lambda.process_state import Occasion
from ws_lambda.tables.rate_limits import RateLimit, current_window


def hit(scope: str) -> int:
    """Adds one to a scope's counter for this minute, in one atomic update. Returns the new count."""
    key = {"scope": scope, "window": current_window()}
    counter = count(RateLimit, key, {"count": 1}, RateLimit.expiry())
    return int(counter["count"]["N"])


class Remembered:
    """Counts of this minute that the process has seen. It makes no request for a name that has reached its limit.

    It remembers at most MOST names. Others cost a request each time, until the minute is over.
    """

    MOST = 10_000

    def __init__(self) -> None:
        self._lock = process_state.Lock()
        self._window, self._hits = "", dict[str, int]()
        process_state.register(self.forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)

    def forget(self) -> None:
        """Drops what is remembered."""
        with self._lock:
            self._window, self._hits = "", {}

    def hits(self, name: str) -> int:
        """The highest count of a name that was seen in this minute; 0 if none was."""
        with self._lock:
            return self._hits.get(name, 0) if self._window == current_window() else 0

    def note(self, name: str, hits: int) -> None:
        """Remembers a count, unless a higher one is known."""
        with self._lock:
            if self._window != current_window():
                self._window, self._hits = current_window(), {}
            if name in self._hits or len(self._hits) < self.MOST:
                self._hits[name] = max(hits, self._hits.get(name, 0))


refused_places, refused_tokens, full_users = Remembered(), Remembered(), Remembered()
"""Refused addresses; hashes of tokens of refused connects; users who have reached CONNECTIONS_PER_USER."""
