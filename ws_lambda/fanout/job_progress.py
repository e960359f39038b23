"""The progress of a job: what its worker knows, and the checkpoints that it writes."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from ws_lambda import delivery
from ws_lambda.models.batch_closing import BatchCloser
from ws_lambda.models.fanout_jobs import FanoutJob
from ws_lambda.models.session import WebSocketSession

logger = logging.getLogger("ws_lambda.fanout")

LEASE = 30.0
"""Seconds for which a worker has a job to itself after a checkpoint. If the worker is killed, the message of the job
comes back within this time. A checkpoint is written at least every five seconds."""

Hide = Callable[[float], None]
"""Keeps the message of a job from being delivered again for this many seconds."""


def claim(job: delivery.Job, hide: Hide) -> "JobProgress | None":
    """Takes a job. Returns None if it is finished. Raises the errors of `FanoutJob.claim`."""
    row = FanoutJob.claim(job, LEASE)
    return None if row is None else JobProgress(job, row, hide)


class JobProgress:
    """How far a job has come."""

    def __init__(self, job: delivery.Job, row: FanoutJob, hide: Hide) -> None:
        self.finished = False
        self.unreadable = False
        part = job.part
        self._closer = BatchCloser(part.partition.partition("#")[0] if part and part.kind == "channel" else "")
        self._job = job
        self._row = row
        self._hide = hide
        self._hidden_at = float("-inf")
        self._after, self._again = row.position(job)
        self._pending = self._again
        self._before = (int(row.sent), int(row.gone), int(row.failed))
        self._counts: tuple[int, ...] = self._before
        self._closed = self._held_over = 0
        self._stay_hidden()

    def recipients(self) -> Iterator[delivery.Recipient | None]:
        """First those whose outcome was open at the checkpoint, then the rest of the part."""
        part, after = self._job.part, self._after
        yield from self._again
        if part is None:
            left = self._job.listed[int(after or 0) :]
            yield from _still_there(left) if self._job.held_over else left
        else:
            yield from delivery.roster.in_order(part.resumed_at(after) if after else part)

    def note(self, progress: delivery.Progress) -> None:
        """Takes stock, has the connections that are gone closed meanwhile, and writes a checkpoint."""
        self._closer.close(progress.gone[self._closed :])
        self._closed = len(progress.gone)
        if not_open := progress.not_open[self._held_over :]:
            delivery.hold_over(self._job.body, self._job.not_after, not_open)
            self._held_over = len(progress.not_open)
        if progress.taken > len(self._again) and progress.last is not None:
            self._after = self._cursor(progress.last)
        self._pending = progress.pending + self._again[progress.taken :]
        now_done = (progress.sent, len(progress.gone), len(progress.failed))
        self._counts = tuple(map(sum, zip(self._before, now_done, strict=True)))
        self.unreadable = progress.source_error is not None
        self.finished = progress.over and not progress.unread and not self._pending
        self.write(seconds=0 if progress.over else LEASE)

    @property
    def closing(self) -> delivery.Calls | None:
        """The closing of connections that are gone, while others are sent to. None with a transport for tests."""
        return None if delivery.installed() else self._closer.work

    def finish_closing(self) -> None:
        """Finishes the closing, before the invocation ends. The next send finds connections that were not closed."""
        try:
            self._closer.finish()
        except Exception:
            logger.exception("the closing of gone connections ended early")
        if errors := self._closer.errors:
            logger.error("%d requests to close gone connections failed: %s", len(errors), errors[0])

    def write(self, seconds: float) -> None:
        """Writes the checkpoint, and keeps the job for this many seconds. 0 releases it."""
        self._row.checkpoint(
            after=self._after,
            pending=self._pending,
            counts=self._counts,
            seconds=seconds,
            finished=self.finished,
        )
        if seconds:
            self._stay_hidden()

    def _stay_hidden(self) -> None:
        """Hides the message for the time of the lease, whatever the queue's visibility timeout is."""
        now = time.monotonic()
        if now - self._hidden_at > LEASE / 3:
            self._hidden_at = now
            self._hide(LEASE)

    def _cursor(self, last: delivery.Recipient) -> str:
        if self._job.part is None:
            return str(self._job.listed.index(last) + 1)
        return self._job.part.cursor(last)


def _still_there(recipients: Sequence[delivery.Recipient]) -> list[delivery.Recipient]:
    """Those whose session of this generation is still open. The others left while the message was on the queue."""
    found = WebSocketSession.batch_get([one.connection_id for one in recipients], consistent_read=True)
    open_now = {one.recipient for one in found if one.connected}
    return [one for one in recipients if one in open_now]
