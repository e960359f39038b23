"""How far a dispatch has come."""

from collections.abc import Callable

from ws_lambda.delivery.outcomes import Failure, Recipient


class Attempt:
    """One recipient, from its first try to its outcome."""

    __slots__ = ("ambiguous", "first_at", "recipient", "tries", "unopened")

    def __init__(self, recipient: Recipient, first_at: float) -> None:
        self.recipient = recipient
        self.first_at = first_at
        """The `time.monotonic()` of the first try."""

        self.tries = 0
        self.ambiguous = False
        """Whether an earlier try may have been delivered."""

        self.unopened = 0
        """How many tries met a connection that was not open yet."""

    def __lt__(self, other: "Attempt") -> bool:
        return self.first_at < other.first_at  # a tie in the heap of retries


class Progress:
    """The outcome of a dispatch so far. It changes while the dispatch goes on: read it, do not keep it."""

    def __init__(self) -> None:
        self.sent = 0
        """How many requests API Gateway has carried out."""

        self.gone: list[Recipient] = []
        """Those that API Gateway no longer knows (410)."""

        self.failed: list[Failure] = []
        self.not_open: list[Recipient] = []
        """Those that were still not open at the end of their grace period. The caller decides what follows."""

        self.repeated: list[str] = []
        """Of those sent: ids that may have got it twice."""

        self.settled = 0
        """How many have their outcome."""

        self.retried = 0
        """How many requests had to be made again."""

        self.taken = 0
        """How many have been taken from the source."""

        self.last: Recipient | None = None
        """The recipient taken last."""

        self.attempts: set[Attempt] = set()
        """Taken, and without an outcome yet. The number of connections and of waiting retries bounds it."""

        self.source_error: Exception | None = None
        """What the source of recipients raised."""

        self.unread = False
        """Whether the source was not read to its end."""

        self.over = False
        """Whether nothing more will be sent."""

    @property
    def pending(self) -> list[Recipient]:
        """Those taken whose outcome is not known yet: in flight, or waiting for another attempt."""
        return [one.recipient for one in self.attempts]


OnProgress = Callable[[Progress], object]
"""Told of the progress after every PROGRESS_EVERY outcomes, at least every PROGRESS_SECONDS, and at the end. What it
raises ends the dispatch."""
