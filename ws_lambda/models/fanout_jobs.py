"""How far each job of a queued broadcast has come. The row is the truth; queue messages only wake a worker up."""

import json
import logging
from collections.abc import Iterable
from typing import Self
from uuid import uuid4

from pynamodb.exceptions import AttributeDeserializationError, UpdateError

from ws_lambda import clock, delivery
from ws_lambda.delivery.jobs import Job, recipients_of
from ws_lambda.tables.fanout_jobs import FanoutJobRow
from ws_lambda.tables.shared_connection import condition_failed

_log = logging.getLogger("ws_lambda.fanout")


class JobBusy(Exception):
    """Another worker has the job. It is tried again when this message comes back."""

    def __init__(self, job_id: str, seconds: float) -> None:
        super().__init__(f"job {job_id} is with another worker")
        self.seconds = seconds
        """How long that one has it yet, if it makes no more checkpoints."""


class JobLost(Exception):
    """This worker held the job for too long without a checkpoint, and another one has it now."""


class JobRefused(Exception):
    """Nobody who may write job rows has queued this job, as it is: it is sent to nobody."""


class FanoutJob(FanoutJobRow):
    """One job: one part of a broadcast's recipients."""

    @classmethod
    def claim(cls, job: Job, seconds: float) -> Self | None:
        """Takes a job, or None if it is finished.

        Raises:
            JobBusy: somebody else is at it.
            JobRefused: it has no row, or the row is of another job.
        """
        row, worker = cls(job.job_id), uuid4().hex
        free = cls.leased_until.does_not_exist() | (cls.leased_until < _now())
        unfinished = cls.finished.does_not_exist() | (cls.finished == False)  # noqa: E712 - a condition
        try:
            row.update(
                actions=[
                    cls.worker.set(worker),
                    cls.leased_until.set(_now() + int(seconds * 1000)),
                    cls.expires_at.set(cls.expiry()),
                ],
                condition=(cls.digest == job.digest) & free & unfinished,
            )
        except AttributeDeserializationError as unreadable:
            raise JobRefused(f"the row of job {job.job_id} is of another form: {unreadable}") from unreadable
        except UpdateError as refused:
            if not condition_failed(refused):
                raise
            try:
                row.refresh(consistent_read=True)
            except cls.DoesNotExist:
                raise JobRefused(f"job {job.job_id} was queued by nobody who may: it has no row") from refused
            if row.digest != job.digest:
                raise JobRefused(f"job {job.job_id} is not what its sender queued") from refused
            if row.worker == worker:
                return row  # taken by this very request, whose first answer was lost
            if row.finished:
                return None
            left = (int(row.leased_until) - _now()) / 1000
            raise JobBusy(job.job_id, max(0.0, left)) from refused
        return row

    def position(self, job: Job) -> tuple[str, list[delivery.Recipient]]:
        """Where the job stands: after whom it goes on ("" for its beginning), and who is to be sent to before.

        What fits nothing here is no position: the job begins anew, and some hear the message twice.
        """
        try:
            waiting = list(recipients_of(json.loads(self.pending)))
            if not self.after or job.fits(self.after):
                return self.after, waiting
            wrong: object = self.after
        except (ValueError, RecursionError) as unreadable:
            wrong = unreadable
        _log.warning("job %s begins anew, for its stored position fits nothing: %s", self.job_id, wrong)
        return "", []

    def checkpoint(
        self,
        *,
        after: str,
        pending: Iterable[delivery.Recipient],
        counts: tuple[int, ...],
        seconds: float,
        finished: bool = False,
    ) -> None:
        """Writes down how far it has come, and keeps the job for so many seconds more; 0 lets go of it.

        Args:
            counts: sent, gone and failed so far.

        Raises:
            JobLost: another worker has taken it over.
        """
        cls = type(self)
        sent, gone, failed = counts
        try:
            self.update(
                actions=[
                    cls.after.set(after),
                    cls.pending.set(json.dumps(list(pending))),
                    cls.sent.set(sent),
                    cls.gone.set(gone),
                    cls.failed.set(failed),
                    cls.finished.set(finished),
                    cls.leased_until.set(_now() + int(seconds * 1000) if seconds else 0),
                    cls.expires_at.set(cls.expiry()),
                ],
                condition=cls.worker == self.worker,
            )
        except UpdateError as refused:
            if not condition_failed(refused):
                raise
            raise JobLost(f"job {self.job_id} is with another worker now") from refused


def _now() -> int:
    return int(clock.now() * 1000)
