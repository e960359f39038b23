"""By when sending must be over: on Lambda a process is frozen or killed when its time is up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NO_DEADLINE = float("inf")

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


def ends_at() -> float:
    """The `time.monotonic()` at which sending must be over; infinite where nobody set a deadline."""
    return _ends_at.get()
