"""Who is sent to, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from ws_lambda import clock

YOUNG_SECONDS: Final = 35.0
"""For so long a 410 may mean "not open yet": API Gateway gives it to a connection whose `$connect` still runs.

An integration may take 29 seconds; the rest is for clocks that differ.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

NOT_OPEN_YET: Final = "not open yet"
"""The reason of a failure, or of an unknown state, where a young connection was answered for with 410."""


class Recipient(NamedTuple):
    """One connection, as a send needs it. A tuple, because a broadcast makes one per member."""

    connection_id: str
    """API Gateway's id of the connection."""

    endpoint_url: str
    """Where its gateway's `@connections` is served: `https://<api>.execute-api.<region>.amazonaws.com/<stage>`."""

    connected_at: int
    """The connection's generation: milliseconds since the epoch. A 410 removes only the generation it was about."""

    @property
    def age(self) -> float:
        """Seconds since the client asked to connect, by this machine's clock."""
        return clock.now() - self.connected_at / 1000

    @property
    def is_young(self) -> bool:
        """Whether its `$connect` may still be running, so that a 410 does not say that it is gone."""
        return abs(self.age) < YOUNG_SECONDS  # a clock may be behind


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A recipient that was not reached, as far as can be known."""

    connection_id: str
    reason: str
    """What the far side or the network said, in a few words; never a body."""

    ambiguous: bool = False
    """Whether it may have been delivered all the same: the request was out, and no answer came back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryReport:
    """What came of a send. Every recipient that was read has exactly one outcome: sent, gone, failed or held over."""

    sent: int = 0
    """How many were delivered to their gateway."""

    gone: tuple[str, ...] = ()
    """Connection ids that API Gateway no longer knows (410)."""

    failed: tuple[Failure, ...] = ()

    held_over: tuple[str, ...] = ()
    """Connection ids that are not open yet: the message waits for them on the fan-out queue, for 35 seconds at most."""

    queued: int = 0
    """Messages put on the fan-out queue. Each stands for a range of recipients that a worker will send to."""

    seconds: float = 0.0

    repeated: tuple[str, ...] = ()
    """Of those sent: ids that may have got it twice, because an attempt before the good one ended ambiguously."""

    unread: bool = False
    """Whether the deadline came before the roster was read to its end, so that some recipients have no name here.
    Those of a `disconnect()` are the schedule's."""

    def __add__(self, other: "DeliveryReport") -> "DeliveryReport":
        """What came of both."""
        return DeliveryReport(
            sent=self.sent + other.sent,
            gone=self.gone + other.gone,
            failed=self.failed + other.failed,
            held_over=self.held_over + other.held_over,
            queued=self.queued + other.queued,
            seconds=self.seconds + other.seconds,
            repeated=self.repeated + other.repeated,
            unread=self.unread or other.unread,
        )

    def __str__(self) -> str:
        words = [f"{self.sent} sent", f"{len(self.gone)} gone", f"{len(self.failed)} failed"]
        if self.held_over:
            words.append(f"{len(self.held_over)} held over")
        if self.queued:
            words.append(f"{self.queued} ranges queued")
        return f"{', '.join(words)} in {self.seconds:.2f} s"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionStatus:
    """What API Gateway says about a connection."""

    state: Literal["open", "gone", "unknown"]
    """"unknown" where it was throttled, unreachable or refused the question."""

    connected_at: datetime | None = None
    last_active_at: datetime | None = None
    reason: str = ""
    """Why the state is unknown."""
