"""Counting what is limited in a minute, and what a process remembers of it."""

from ws_lambda import process_state
from ws_lambda.models.counting import count
from ws_lambda.process_state import Occasion
from ws_lambda.tables.rate_limits import RateLimit, current_window


def hit(scope: str) -> int:
    """Counts one in the current minute and returns the new count, in one atomic update."""
    key = {"scope": scope, "window": current_window()}
    counter = count(RateLimit, key, {"count": 1}, RateLimit.expiry())
    return int(counter["count"]["N"])


class Remembered:
    """Counts of the current minute that this process has seen, so that it need not ask again who is over a limit.

    At most MOST at once: what comes after is not remembered, and costs its requests until the minute is over.
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
        """The highest count seen of a name in this minute; 0 where none was."""
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
"""Addresses that were refused, hashes of tokens that a connect was refused with, users with all connections open."""
