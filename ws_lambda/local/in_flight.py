"""Lets what runs finish before the worker restarts, as a deployment does with running invocations."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

GRACE = 1.5
"""Seconds that running requests get."""


class InFlight:
    """Counts what runs."""

    def __init__(self) -> None:
        self._running = 0
        self._change = threading.Condition()

    def __enter__(self) -> None:
        with self._change:
            self._running += 1

    def __exit__(self, *_error: object) -> None:
        with self._change:
            self._running -= 1
            self._change.notify_all()

    def wait(self, seconds: float = GRACE) -> bool:
        """Waits until nothing runs; False where something still does."""
        with self._change:
            return self._change.wait_for(lambda: not self._running, seconds)

    def around(self, app: Callable[..., Any]) -> Callable[..., Iterable[bytes]]:
        """A WSGI application whose calls count."""

        def counted(environ: Any, start_response: Any) -> Iterable[bytes]:
            with self:
                response: Iterable[bytes] = app(environ, start_response)
                return response

        return counted
