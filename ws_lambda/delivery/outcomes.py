"""Recipients, and the outcome of sending to them. `dispatch` and `broadcasting` act on a 410."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from ws_lambda import clock

YOUNG_SECONDS: Final = 35.0
"""Seconds in which a 410 may mean "not open yet": API Gateway also answers it while a `$connect` is running.

An integration may take 29 seconds. The rest allows for clocks that differ.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

NOT_OPEN_YET: Final = "not open yet"
"""The reason of a failure, or of an unknown state, after the 410 of a young connection."""


class Recipient(NamedTuple):
    """What a send needs of a connection. It is a tuple, because a broadcast makes one for each member."""

    connection_id: str
    """API Gateway's id of the connection."""

    endpoint_url: str
    """Where the gateway serves `@connections`: `https://<api>.execute-api.<region>.amazonaws.com/<stage>`."""

    connected_at: int
    """The generation of the connection, in milliseconds since the epoch. A 410 closes only this generation."""

    @property
    def age(self) -> float:
        """Seconds since the client asked to connect, by the clock of this machine."""
        return clock.now() - self.connected_at / 1000

    @property
    def is_young(self) -> bool:
        """Whether the `$connect` may still be running, so that a 410 does not mean that the connection is gone."""
        return abs(self.age) < YOUNG_SECONDS  # clocks differ


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A recipient that was not reached, as far as is known."""

    connection_id: str
    reason: str
    """What the server or the network said, in a few words; never a body."""

    ambiguous: bool = False
    """Whether the message may have been delivered: the request was sent, and no answer came back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryReport:
    """The outcome of a send. Every recipient that was read is exactly one of sent, gone, failed and held over."""

    sent: int = 0
    """How many messages API Gateway accepted."""

    gone: tuple[str, ...] = ()
    """Connection ids that API Gateway no longer knows (410)."""

    failed: tuple[Failure, ...] = ()

    held_over: tuple[str, ...] = ()
    """Connection ids that are not open yet. The message waits for them on the fan-out queue, for at most 35 seconds."""

    queued: int = 0
    """How many jobs were put on the fan-out queue. Each is a range of recipients that a worker will send to."""

    seconds: float = 0.0

    repeated: tuple[str, ...] = ()
    """Of those sent: ids that may have got the message twice, because an earlier attempt ended ambiguously."""

    unread: bool = False
    """Whether the roster was not read to its end, so that some recipients are not listed here. After a
    `disconnect()`, the next scheduled run closes the rest."""

    def __add__(self, other: "DeliveryReport") -> "DeliveryReport":
        """The sum of both reports."""
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
        if self.unread:
            words.append("the rest of the roster not read")
        return f"{', '.join(words)} in {self.seconds:.2f} s"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionStatus:
    """What API Gateway reports about a connection."""

    state: Literal["open", "gone", "unknown"]
    """"unknown" where it was throttled, unreachable or refused the question."""

    connected_at: datetime | None = None
    last_active_at: datetime | None = None
    reason: str = ""
    """Why the state is unknown."""
