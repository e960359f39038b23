"""Closes connections that have ended without a `$disconnect`, which API Gateway does not always deliver.

A run first closes sockets that could not be closed before (`models.sockets`), and continues tasks that calls had no
time to finish (`resuming`). Then it scans the index of open connections and checks those whose turn it is
(`inspection`), and scans the memberships whose turn it is (`orphans`). Every connection has a turn of one minute in
each half hour (`round_robin`). When the time is up, the run stores its position (`checkpoints`), and the next run
continues there. Two runs at the same time do no harm, because every change is conditional.
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
"""Seconds before the deadline in which a run begins no more pages, so that the current page can finish."""

SHARE = 1 / 20
"""The share of FANOUT_MAX_RPS that a run may use for requests to `@connections`. The rest is for sending."""

DROPPED_BY, WORKED_OFF_BY = 1 / 4, 1 / 2
"""Shares of a run's time: when closing remaining sockets must end, and when continuing unfinished tasks must end. The
rest is for the scan."""

UNLIMITED_RPS = 400.0
"""Requests per second if FANOUT_MAX_RPS is 0."""

_log = logging.getLogger("ws_lambda")


def prune(event: Any = None, context: Any = None) -> dict[str, Any]:
    """The scheduled function. Returns and logs the result.

    Args:
        event: the schedule's event, which is ignored.
        context: Lambda's context, which tells how much time is left.
    """
    close_old_connections()  # like Django before a request: an SQL connection may have killed
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
    """Adds the length of the fan-out queue to the function's metrics."""
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
    """Closes sessions that have ended or may not stay open, and removes orphaned memberships.

    Args:
        seconds: how long it may take; None for no limit.
        whole: whether to check every connection. Otherwise only those are checked whose turn has come since the last
            such run, which is once in half an hour.
        progress: called with the result so far, after every page.
    """
    pruned = Pruned()
    checkpoint = Checkpoint.take(whole=whole)
    began, given = time.monotonic(), seconds if seconds is not None else float("inf")
    ends = began + given
    with delivery.deadline(given + GRACE), delivery.slowed_to(pace()):
        pruned.sockets_closed = close_remaining_sockets(began + given * DROPPED_BY)
        work_off(pruned, began + given * WORKED_OFF_BY)
        scan = Scan(pruned, whole=whole, judging=not checkpoint.killed)
        for place in scan.go_on(checkpoint):
            if progress is not None:
                progress(pruned)
            if place is not None and time.monotonic() >= ends:
                checkpoint.leave(place)
                return _told(pruned)
    checkpoint.finish()
    pruned.complete = True
    return _told(pruned)


def pace() -> float:
    """How many requests to `@connections` a run makes per second at most."""
    return conf.FANOUT_MAX_RPS * SHARE if conf.FANOUT_MAX_RPS else UNLIMITED_RPS


def _told(pruned: Pruned) -> Pruned:
    _log.info("Pruned: %s", ", ".join(f"{name} {value}" for name, value in asdict(pruned).items()))
    return pruned
