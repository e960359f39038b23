"""Continuing tasks on many connections that calls had no time to finish."""

import logging
import random
import time
from dataclasses import asdict

from ws_lambda.gatekeeping import eviction, permission_changes
from ws_lambda.housekeeping.results import Pruned
from ws_lambda.models import WebSocketSession, disconnecting, unfinished_work
from ws_lambda.tables.rate_limits import UnfinishedWork

_log = logging.getLogger("ws_lambda")


def work_off(pruned: Pruned, until: float) -> None:
    """Continues the tasks while there is time. A task that fails is left to the next run, and does not stop others.

    Args:
        until: the `time.monotonic()` after which no task is started, and the current one is interrupted.
    """
    try:
        pieces = unfinished_work.everything()
    except Exception:  # such as an unreadable row: the scan continues
        _log.exception("The unfinished tasks could not be read. The next run tries again.")
        return
    random.shuffle(pieces)  # one that keeps failing must not always come first
    for number, work in enumerate(pieces):
        if number and time.monotonic() >= until:
            return
        try:
            _go_on(work, pruned, until - time.monotonic())
        except Exception:
            _log.exception("The task %r could not be continued. The next run tries again.", work.window)


def _go_on(work: UnfinishedWork, pruned: Pruned, seconds: float) -> None:
    match work.kind:
        case eviction.KIND:
            evicted = eviction.go_on(work, seconds=seconds)
            pruned.evicted += evicted.disconnected
            pruned.removed += evicted.removed
            _log.info("Evicted members of %s: %s", work.about, asdict(evicted))
        case permission_changes.KIND:
            result = permission_changes.go_on(work, seconds=seconds)
            pruned.evicted += result.evicted
            pruned.removed += result.removed
            pruned.unchecked += result.unchecked
            _log.info("Revalidated users whose permissions had changed: %s", asdict(result))
        case disconnecting.KIND:
            selected = WebSocketSession.objects.filter(**disconnecting.lookups_of(work))
            report = disconnecting.go_on(work, selected.recipients(), seconds=seconds)
            pruned.disconnected += report.sent + len(report.gone)
            _log.info("Disconnected %s: %s", work.about, report)
        case unknown:
            _log.error("There is no task of the kind %r, so it is dropped", unknown)
            unfinished_work.end(work)
