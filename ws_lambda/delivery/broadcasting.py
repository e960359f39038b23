"""Sending one message to many connections, and the two other requests of `@connections`: DELETE and GET."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from ws_lambda import process_state, telemetry
from ws_lambda.conf import conf
from ws_lambda.deadlines import ends_at
from ws_lambda.delivery import pacing
from ws_lambda.delivery.calls import CLOSING_SECONDS
from ws_lambda.delivery.connection_requests import ConnectionRequests
from ws_lambda.delivery.dispatch import Dispatch
from ws_lambda.delivery.exchange import Response, Work
from ws_lambda.delivery.outcomes import NOT_OPEN_YET, ConnectionStatus, DeliveryReport, Failure, Recipient
from ws_lambda.delivery.progress import Attempt, OnProgress, Progress
from ws_lambda.delivery.slots import Slots
from ws_lambda.process_state import Occasion

logger = logging.getLogger("ws_lambda.delivery")

OnGone = Callable[[Sequence[Recipient]], object]
"""Called with a batch of recipients that are gone, after everybody else has been sent to."""

OnNotOpen = Callable[[Sequence[Recipient]], object]
"""Takes over recipients that are not open yet. If it raises, the error is logged and these recipients have failed."""

_GONE_BATCH = 100
_INSPECTED_AT_ONCE = 500
_LOGGED_IDS = 10

_slots = Slots(0)


def slots() -> Slots:
    """The slots of this process, FANOUT_CONNECTIONS of them for all of its threads."""
    global _slots
    limit = max(1, conf.FANOUT_CONNECTIONS)
    if _slots.limit != limit:
        _slots = Slots(limit)
    return _slots


def _forget_slots() -> None:
    """In the child of a fork: slots that the parent's threads hold would never be given back here."""
    global _slots
    _slots = Slots(0)


process_state.register(_forget_slots, Occasion.FORK)


class Deliveries(Dispatch):
    """A dispatch that counts each recipient's answer: for POST and DELETE."""

    def settle(self, attempt: Attempt, response: Response) -> bool:
        if 200 <= response.status < 300:
            self.progress.sent += 1
            if attempt.ambiguous:
                self.progress.repeated.append(attempt.recipient.connection_id)
            return True
        if response.status == 410 and not attempt.recipient.is_young:
            self.progress.gone.append(attempt.recipient)
            return True
        return False


class Inspections(Dispatch):
    """A dispatch that keeps each answer's body: for GET."""

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        super().__init__(ConnectionRequests("GET"), recipients, pacing.shared(), waits_for_opening=False)
        self.found: dict[str, ConnectionStatus] = {}

    def settle(self, attempt: Attempt, response: Response) -> bool:
        if response.status == 410 and not attempt.recipient.is_young:
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
    on_not_open: OnNotOpen | None = None,
    pace: pacing.Pace | None = None,
    progress: OnProgress | None = None,
    resumable: bool = False,
    waits_for_opening: bool = True,
    beside: Work | None = None,
) -> DeliveryReport:
    """Posts the bytes to every recipient.

    Args:
        recipients: read while they are sent to. None stands for "not yet".
        on_gone: called with batches of those that are gone, when everybody else has been sent to. What it raises is
            logged: the report of what was sent must not be lost over it.
        on_not_open: called at most once, with those whose connection is still not open two seconds after their first
            attempt. Without it, they are reported as failed.
        pace: used instead of the process's own.
        progress: see `progress.OnProgress`.
        resumable, waits_for_opening: see `Dispatch`.
        beside: see `Dispatch.run`.

    Raises:
        botocore.exceptions.NoCredentialsError: there is nothing to sign with.
    """
    started = time.monotonic()
    requests, rate = ConnectionRequests("POST", body), pace or pacing.shared()
    done = Deliveries(requests, recipients, rate, progress, resumable, waits_for_opening).run(slots(), beside)
    held_over = _hand_over(done, on_not_open)
    _tell(on_gone, done.gone)
    telemetry.count("Deliveries", done.sent)
    telemetry.count("Gone", len(done.gone))
    telemetry.count("Failed", len(done.failed))
    if held_over:
        telemetry.count("HeldOver", len(held_over))
    return _report(done, started, held_over)


def close(recipients: Iterable[Recipient]) -> DeliveryReport:
    """Closes sockets (`DELETE @connections`). `sent` counts those closed now, `gone` those that were closed before.

    A connection that is not open yet is tried again for two seconds, then it has failed.
    """
    started = time.monotonic()
    done = Deliveries(ConnectionRequests("DELETE"), recipients, pacing.shared()).run(slots())
    _hand_over(done, None)
    return _report(done, started)


def inspect(recipients: Iterable[Recipient]) -> Iterator[tuple[Recipient, ConnectionStatus]]:
    """Asks API Gateway about each connection (`GET @connections`). One request of the quota for each.

    A connection that may not be open yet is asked about once. Its state is "unknown", and the reason "not open yet".
    """
    source = iter(recipients)
    while batch := list(islice(source, _INSPECTED_AT_ONCE)):
        inspections = Inspections(batch)
        done = inspections.run(slots())
        _hand_over(done, None)
        reasons = {failure.connection_id: failure.reason for failure in done.failed}
        for recipient in batch:
            known = inspections.found.get(recipient.connection_id)
            yield (
                recipient,
                known or ConnectionStatus(state="unknown", reason=reasons.get(recipient.connection_id, "no answer")),
            )


def _tell(on_gone: OnGone, gone: Sequence[Recipient]) -> None:
    for start in range(0, len(gone), _GONE_BATCH):
        if time.monotonic() > ends_at() + CLOSING_SECONDS:
            logger.warning("no time to close %d gone connections; the next send finds them", len(gone) - start)
            return
        batch = gone[start : start + _GONE_BATCH]
        try:
            on_gone(batch)
        except Exception:
            logger.exception("%d gone connections could not be closed; the next send will find them again", len(batch))


def _hand_over(done: Progress, on_not_open: OnNotOpen | None) -> tuple[str, ...]:
    """Hands over those who are not open yet; the ids of those taken over. The others have failed."""
    waiting = tuple(one.connection_id for one in done.not_open)
    if waiting and on_not_open is not None:
        try:
            on_not_open(done.not_open)
        except Exception:
            logger.exception("%d connections are not open yet, and the message could not be held over", len(waiting))
        else:
            return waiting
    done.failed += [Failure(connection_id=one, reason=NOT_OPEN_YET) for one in waiting]
    return ()


def _report(done: Progress, started: float, held_over: tuple[str, ...] = ()) -> DeliveryReport:
    _log(done.failed)
    return DeliveryReport(
        sent=done.sent,
        gone=tuple(recipient.connection_id for recipient in done.gone),
        failed=tuple(done.failed),
        held_over=held_over,
        repeated=tuple(done.repeated),
        unread=done.unread,
        seconds=time.monotonic() - started,
    )


def _log(failed: Sequence[Failure]) -> None:
    """Logs one line for each reason. A line for each recipient would fill the log if a gateway is broken."""
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
