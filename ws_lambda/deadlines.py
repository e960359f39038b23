"""When sending must end: Lambda freezes or kills a process when its time is up."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

NO_DEADLINE = float("inf")

MARGIN: Final = 3.0
"""Seconds of an invocation that are kept for what comes after sending: closing who is gone, noting how far a job or
a prune has come, the answer. A function's timeout must be longer."""

_ends_at: ContextVar[float] = ContextVar("ws_lambda_delivery_deadline", default=NO_DEADLINE)


@contextmanager
def deadline(seconds_left: float) -> Iterator[None]:
    """Everything sent inside ends within so many seconds; an outer, nearer deadline stays.

    What could not be sent in time is reported as failed, never dropped in silence.
    """
    token = _ends_at.set(min(_ends_at.get(), time.monotonic() + max(0.0, seconds_left)))
    try:
        yield
    finally:
        _ends_at.reset(token)


def invocation_deadline(context: Any) -> AbstractContextManager[None]:
    """The one deadline of an invocation: everything sent inside ends MARGIN seconds before Lambda ends it.

    Args:
        context: Lambda's context object.
    """
    return deadline(context.get_remaining_time_in_millis() / 1000 - MARGIN)


def ends_at() -> float:
    """The `time.monotonic()` at which sending must be over; infinite where nobody set a deadline."""
    return _ends_at.get()


def seconds_left() -> float:
    """Seconds until sending must be over: 0 or less when it is, infinite where nobody set a deadline."""
    return _ends_at.get() - time.monotonic()
