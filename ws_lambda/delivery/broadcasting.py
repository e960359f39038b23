"""Sending one message to many connections, and the two other things `@connections` can do with them."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from ws_lambda import telemetry
from ws_lambda.conf import conf
from ws_lambda.delivery import pacing
from ws_lambda.delivery.deadlines import ends_at
from ws_lambda.delivery.exchange import Response, Slots
from ws_lambda.delivery.management import Api
from ws_lambda.delivery.outcomes import ConnectionStatus, DeliveryReport, Failure, Recipient
from ws_lambda.delivery.rounds import Attempt, Round

logger = logging.getLogger("ws_lambda.delivery")

OnGone = Callable[[Sequence[Recipient]], object]
"""Told who is gone, a batch at a time, after everybody else has been sent to."""

Progress = Callable[[Round], None]

_GONE_BATCH = 100
_CLOSING_SECONDS = 1.0
"""For closing who is gone after a deadline. The door keeps two seconds; more would have the invocation killed."""

_INSPECTED_AT_ONCE = 500
_LOGGED_IDS = 10

_slots = Slots(0)


def slots() -> Slots:
    """The process's share of connections: FANOUT_CONNECTIONS, over all its threads."""
    global _slots
    limit = max(1, conf.FANOUT_CONNECTIONS)
    if _slots.limit != limit:
        _slots = Slots(limit)
    return _slots


def _after_fork() -> None:
    """In the child: what the parent's threads had in flight is not the child's, and would never be given back."""
    global _slots
    _slots = Slots(0)


os.register_at_fork(after_in_child=_after_fork)


class Posting(Round):
    """A round in which each recipient's answer is kept count of: for POST and DELETE."""

    sent = 0

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.gone: list[Recipient] = []
        self.repeated: list[str] = []

    def settle(self, attempt: Attempt, response: Response) -> bool:
        if 200 <= response.status < 300:
            self.sent += 1
            if attempt.ambiguous:
                self.repeated.append(attempt.recipient.connection_id)
            return True
        if response.status == 410:
            self.gone.append(attempt.recipient)
            return True
        return False


class Asking(Round):
    """A round that keeps each answer's body: for GET."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.found: dict[str, ConnectionStatus] = {}

    def settle(self, attempt: Attempt, response: Response) -> bool:
        if response.status == 410:
            status = ConnectionStatus(state="gone")
        elif response.status == 200:
            status = _read_status(response.body)
        else:
            return False
        self.found[attempt.recipient.connection_id] = status
        return True


def broadcast(
    recipients: Iterable[Recipient | None],
    body: bytes,
    *,
    on_gone: OnGone,
    pace: pacing.TokenBucket | pacing.Unpaced | None = None,
    progress: Progress | None = None,
    resumable: bool = False,
) -> DeliveryReport:
    """Posts the bytes to every recipient.

    Args:
        recipients: read as they are sent to. None stands for "not yet".
        on_gone: called with batches of those that are gone, when the round is over. What it raises is logged: the
            report of what was sent must not be lost over it.
        pace: instead of the process's own.
        progress, resumable: see `Round`.

    Raises:
        botocore.exceptions.NoCredentialsError: there is nothing to sign with.
    """
    started = time.monotonic()
    posting = Posting(Api("POST", body), recipients, pace or pacing.shared(), progress, resumable)
    posting.run(slots())
    _tell(on_gone, posting.gone)
    telemetry.count("Deliveries", posting.sent)
    telemetry.count("Gone", len(posting.gone))
    telemetry.count("Failed", len(posting.failed))
    return _report(posting, started)


def close(recipients: Iterable[Recipient]) -> DeliveryReport:
    """Closes sockets (`DELETE @connections`). `sent` counts those closed; `gone`, those that were already."""
    started = time.monotonic()
    closing = Posting(Api("DELETE"), recipients, pacing.shared())
    closing.run(slots())
    return _report(closing, started)


def inspect(recipients: Iterable[Recipient]) -> Iterator[tuple[Recipient, ConnectionStatus]]:
    """Asks API Gateway about each connection (`GET @connections`). One request of the quota for each."""
    source = iter(recipients)
    while batch := list(islice(source, _INSPECTED_AT_ONCE)):
        asking = Asking(Api("GET"), batch, pacing.shared())
        asking.run(slots())
        reasons = {failure.connection_id: failure.reason for failure in asking.failed}
        for recipient in batch:
            known = asking.found.get(recipient.connection_id)
            yield (
                recipient,
                known or ConnectionStatus(state="unknown", reason=reasons.get(recipient.connection_id, "no answer")),
            )


def _tell(on_gone: OnGone, gone: Sequence[Recipient]) -> None:
    for start in range(0, len(gone), _GONE_BATCH):
        if time.monotonic() > ends_at() + _CLOSING_SECONDS:
            logger.warning("no time to close %d gone connections; the next send finds them again", len(gone) - start)
            return
        batch = gone[start : start + _GONE_BATCH]
        try:
            on_gone(batch)
        except Exception:
            logger.exception("%d gone connections could not be closed; the next send finds them again", len(batch))


def _report(round_: Posting, started: float) -> DeliveryReport:
    _log(round_.failed)
    return DeliveryReport(
        sent=round_.sent,
        gone=tuple(recipient.connection_id for recipient in round_.gone),
        failed=tuple(round_.failed),
        repeated=tuple(round_.repeated),
        unread=round_.unread,
        seconds=time.monotonic() - started,
    )


def _log(failed: Sequence[Failure]) -> None:
    """One line for each reason, not for each recipient: a broken gateway would fill the log."""
    by_reason: dict[str, list[str]] = {}
    for failure in failed:
        by_reason.setdefault(failure.reason, []).append(failure.connection_id)
    for reason, ids in by_reason.items():
        some = ", ".join(ids[:_LOGGED_IDS]) + (", ..." if len(ids) > _LOGGED_IDS else "")
        logger.warning("%d connections not reached (%s): %s", len(ids), reason, some)


def _read_status(body: bytes) -> ConnectionStatus:
    try:
        answer = json.loads(body)
        return ConnectionStatus(
            state="open",
            connected_at=datetime.fromisoformat(answer["connectedAt"]),
            last_active_at=datetime.fromisoformat(answer["lastActiveAt"]),
        )
    except (ValueError, KeyError, TypeError) as wrong:
        return ConnectionStatus(state="unknown", reason=f"unreadable answer: {type(wrong).__name__}")
