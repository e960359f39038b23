"""What a SnapStart snapshot must not carry from one environment into the many that are restored from it.

What was read of tables is old, and a random generator that was seeded before the snapshot makes every environment
wait the same jitter. AWS clients may stay: they open new connections where old ones are dead, and renew credentials
that have expired; making them anew would take away half of what SnapStart gains.
"""

import random

from ws_lambda.delivery import curl
from ws_lambda.models import caches


def register() -> None:
    """Has Lambda call `before_snapshot` and `after_restore`. Its runtimes from Python 3.12 on bring the hooks."""
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(before_snapshot)
    register_after_restore(after_restore)


def before_snapshot() -> None:
    """Closes what is open."""
    curl.forget()


def after_restore() -> None:
    """Forgets what was true when the snapshot was taken."""
    caches.forget()
    random.seed()
