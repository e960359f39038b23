"""The time by which work must end. Lambda freezes or kills a process when the time of its invocation is up."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

NO_DEADLINE = float("inf")

MARGIN: Final = 3.0
"""Seconds of an invocation that are reserved for what follows sending: closing the sessions of connections that are
gone, storing the position of a job or a prune, and the answer. A function's timeout must be longer."""

_ends_at: ContextVar[float] = ContextVar("ws_lambda_delivery_deadline", default=NO_DEADLINE)


@contextmanager
def deadline(seconds_left: float) -> Iterator[None]:
    """Sets a deadline for the time of a `with` block. An earlier deadline of an outer block stays in force.

    Messages that could not be sent in time are reported as failed. None is dropped without a report.

    Args:
        seconds_left: seconds from now. Less than 0 counts as 0.
    """
    token = _ends_at.set(min(_ends_at.get(), time.monotonic() + max(0.0, seconds_left)))
    try:
        yield
    finally:
        _ends_at.reset(token)


def invocation_deadline(context: Any) -> AbstractContextManager[None]:
    """Sets the deadline of an invocation: MARGIN seconds before Lambda ends it.

    Args:
        context: Lambda's context object.
    """
    return deadline(context.get_remaining_time_in_millis() / 1000 - MARGIN)


def ends_at() -> float:
    """The deadline as a `time.monotonic()`; infinite if there is none."""
    return _ends_at.get()


def seconds_left() -> float:
    """Seconds until the deadline: 0 or less once it has passed, infinite if there is none."""
    return _ends_at.get() - time.monotonic()
