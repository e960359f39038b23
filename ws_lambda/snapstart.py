"""Prepares the process for a SnapStart snapshot, from which many environments are restored.

Data read from tables is outdated after a restore. A random generator that was seeded before the snapshot would give
every environment the same pauses between retries. AWS clients stay: they replace dead connections and renew expired
credentials by themselves, and creating new ones would take half of the time that SnapStart saves.
"""

import random

from django.db import connections

from ws_lambda import process_state
from ws_lambda.process_state import Occasion

process_state.register(connections.close_all, Occasion.SNAPSHOT)
process_state.register(random.seed, Occasion.RESTORE)


def register() -> None:
    """Registers the two functions below with Lambda. Its runtimes have the hooks from Python 3.12 on."""
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(before_snapshot)
    register_after_restore(after_restore)


def before_snapshot() -> None:
    """Closes open connections to API Gateway and to SQL databases."""
    process_state.forget(Occasion.SNAPSHOT)


def after_restore() -> None:
    """Forgets what was true only when the snapshot was taken."""
    process_state.forget(Occasion.RESTORE)
