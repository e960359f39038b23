"""The clock of the package. A test can move it."""

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


def utcnow() -> datetime:
    """The same moment as an aware datetime."""
    return datetime.fromtimestamp(now(), UTC)
