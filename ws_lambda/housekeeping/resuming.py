"""Going on with what calls have begun on many connections, and had no time to end."""

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
    """Does as much of it as there is time for. One piece that fails stays for the next run, and holds up no other.

    Args:
        until: the `time.monotonic()` after which no piece is begun, and the one under way is left where it is.
    """
    try:
        pieces = unfinished_work.everything()
    except Exception:  # such as for a row of another form: the walk goes on without
        _log.exception("What calls have left unfinished could not be read; the next run tries again")
        return
    random.shuffle(pieces)  # one that fails for a day is not to come first every time
    for number, work in enumerate(pieces):
        if number and time.monotonic() >= until:
            return
        try:
            _go_on(work, pruned, until - time.monotonic())
        except Exception:
            _log.exception("%r could not be gone on with; the next run tries again", work.window)


def _go_on(work: UnfinishedWork, pruned: Pruned, seconds: float) -> None:
    match work.kind:
        case eviction.KIND:
            evicted = eviction.go_on(work, seconds=seconds)
            pruned.evicted += evicted.disconnected
            pruned.removed += evicted.removed
            _log.info("Evicted from %s: %s", work.about, asdict(evicted))
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
            _log.error("Nobody knows what %r is to be: it is given up", unknown)
            unfinished_work.end(work)
