"""Closes what has ended without anybody being told: `$disconnect` is best effort, and may never come.

A run first closes sockets that could not be closed before (`models.dropping`), and goes on with what calls had no
time to end (`unfinished`). Connections take turns of a minute by whose they are (`turns`). The run walks through the
index of open connections, looks at those whose turn it is (`looking`), then through the memberships whose turn it is
(`orphans`). It is cut short by the time that Lambda leaves it, notes where it was (`positions`), and the next run goes
on from there. Two runs at once do no harm: every change is conditional, and what one has closed the other finds closed.
"""

import logging
import time
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.db import close_old_connections

from ws_lambda import aws, delivery, telemetry
from ws_lambda.conf import conf
from ws_lambda.housekeeping.checkpoints import Checkpoint
from ws_lambda.housekeeping.results import Progress, Pruned
from ws_lambda.housekeeping.resuming import work_off
from ws_lambda.housekeeping.scanning import Scan
from ws_lambda.models.sockets import close_remaining_sockets

__all__ = ["GRACE", "Progress", "Pruned", "prune", "run"]

GRACE = 2.0
"""Seconds before the deadline that a run begins no more pages: so long may the one take that it has begun."""

SHARE = 1 / 20
"""Of FANOUT_MAX_RPS, for requests to `@connections` by a run: the rest is for sending, and for what comes in."""

DROPPED_BY, WORKED_OFF_BY = 1 / 4, 1 / 2
"""Of a run's time: by when the sockets that could not be closed before have been tried, and by when it leaves what
calls could not end. The rest is for the walk, however much there is of those."""

UNLIMITED_RPS = 400.0
"""Requests a second where FANOUT_MAX_RPS is 0."""

_log = logging.getLogger("ws_lambda")


def prune(event: Any = None, context: Any = None) -> dict[str, Any]:
    """The scheduled function. Returns and logs what it did.

    Args:
        event: of the schedule; not looked at.
        context: Lambda's, which says how much time is left.
    """
    close_old_connections()  # as Django does before a request: one to SQL may have died since the last event
    limited = delivery.invocation_deadline(context) if context is not None else nullcontext()
    with limited, telemetry.invocation(request_id=getattr(context, "aws_request_id", ""), route="prune"):
        pruned = run(delivery.seconds_left() - GRACE, whole=False)
        telemetry.count("PruneRuns")
        told = pruned.expired + pruned.gone + pruned.orphans + pruned.evicted + pruned.disconnected
        telemetry.count("Pruned", told)
        telemetry.count("Unchecked", pruned.unchecked)
        _measure_queue()
    return asdict(pruned)


def _measure_queue() -> None:
    """Puts the length of the fan-out queue beside the function's own metrics."""
    if not conf.FANOUT_QUEUE_URL:
        return
    name = "ApproximateNumberOfMessages"
    try:
        found = aws.client("sqs").get_queue_attributes(QueueUrl=conf.FANOUT_QUEUE_URL, AttributeNames=[name])
    except (BotoCoreError, ClientError) as error:
        _log.warning("The fan-out queue could not be measured: %s", error)
    else:
        telemetry.count("QueueDepth", int(found["Attributes"][name]))


def run(seconds: float | None = None, *, whole: bool = True, progress: Progress | None = None) -> Pruned:
    """Closes ended sessions, removes orphaned memberships and puts out whose login has ended.

    Args:
        seconds: how long it may take; None for as long as it takes.
        whole: looks at every connection. Without, at those whose turn has come since the last such run: each one's
            comes every half hour.
        progress: is called after every page.
    """
    pruned = Pruned()
    position = Checkpoint.take(whole=whole)
    began, given = time.monotonic(), seconds if seconds is not None else float("inf")
    ends = began + given
    with delivery.deadline(given + GRACE), delivery.slowed_to(pace()):
        pruned.sockets_closed = close_remaining_sockets(began + given * DROPPED_BY)
        work_off(pruned, began + given * WORKED_OFF_BY)
        walk = Scan(pruned, whole=whole, judging=not position.died)
        for place in walk.go_on(position):
            if progress is not None:
                progress(pruned)
            if place is not None and time.monotonic() >= ends:
                position.leave(place)
                return _told(pruned)
    position.finish()
    pruned.complete = True
    return _told(pruned)


def pace() -> float:
    """Requests to `@connections` that a run makes in a second at most."""
    return conf.FANOUT_MAX_RPS * SHARE if conf.FANOUT_MAX_RPS else UNLIMITED_RPS


def _told(pruned: Pruned) -> Pruned:
    _log.info("Pruned: %s", ", ".join(f"{name} {value}" for name, value in asdict(pruned).items()))
    return pruned
