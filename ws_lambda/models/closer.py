"""Closing who is gone in a thread of its own, while the others are sent to."""

import contextvars
import logging
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

from ws_lambda import delivery
from ws_lambda.delivery.calls import CLOSING_SECONDS
from ws_lambda.delivery.deadlines import ends_at
from ws_lambda.models.closing import close_gone

_log = logging.getLogger("ws_lambda.delivery")


class Closer:
    """Takes those that are gone, and closes them without holding up whoever found them.

    One is for one broadcast. Before the invocation ends, `wait` has to be called: Lambda freezes what goes on after it.
    """

    def __init__(self, channel_name: str = "") -> None:
        """
        Args:
            channel_name: the channel whose roster names them; "" where none does.
        """
        self._channel_name = channel_name
        self._batches: SimpleQueue[Sequence[delivery.Recipient] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def close(self, gone: Sequence[delivery.Recipient]) -> None:
        """Has these closed. Returns at once."""
        if not gone:
            return
        self._batches.put(gone)
        if self._thread is None:
            run = contextvars.copy_context().run  # the deadline, above all
            self._thread = threading.Thread(target=run, args=(self._work,), name="ws-closer", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Returns when all are closed, or soon after the deadline: the next send finds those that are left again."""
        if self._thread is None:
            return
        self._batches.put(None)
        left = ends_at() + CLOSING_SECONDS - time.monotonic()
        self._thread.join(None if left == float("inf") else max(0.0, left))
        if self._thread.is_alive():
            _log.warning("no time to close all gone connections; the next send finds them again")
        self._thread = None

    def _work(self) -> None:
        while (gone := self._batches.get()) is not None:
            try:
                close_gone(gone, channel_name=self._channel_name)
            except Exception:
                _log.exception("%d gone connections could not be closed; the next send finds them again", len(gone))
