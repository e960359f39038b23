"""Waiting for what AWS has only just made."""

import time
from collections.abc import Callable
from typing import Any


def patiently(call: Callable[[], Any], busy: type[Exception], *, seconds: float = 60, pause: float = 2) -> Any:
    """Calls until the answer is no longer that it is too early, and returns the answer.

    Args:
        call: what to do.
        busy: what it raises while it is too early.
        seconds: how long to go on trying; then the exception is the caller's.
        pause: seconds between two tries.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except busy:
            if time.monotonic() > deadline:
                raise
            time.sleep(pause)
