"""What a SnapStart snapshot must not carry from one environment into the many that are restored from it.

What was read of tables is old, and a random generator that was seeded before the snapshot makes every environment
wait the same jitter. AWS clients may stay: they open new connections where old ones are dead, and renew credentials
that have expired; making them anew would take away half of what SnapStart gains.
"""

import random

from django.db import connections

from ws_lambda import process_state
from ws_lambda.process_state import Occasion

process_state.register(connections.close_all, Occasion.SNAPSHOT)
process_state.register(random.seed, Occasion.RESTORE)


def register() -> None:
    """Has Lambda call `before_snapshot` and `after_restore`. Its runtimes from Python 3.12 on bring the hooks."""
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(before_snapshot)
    register_after_restore(after_restore)


def before_snapshot() -> None:
    """Closes open connections: those to API Gateway and to SQL databases."""
    process_state.forget(Occasion.SNAPSHOT)


def after_restore() -> None:
    """Forgets what was true when the snapshot was taken."""
    process_state.forget(Occasion.RESTORE)
