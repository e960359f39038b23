"""How far each job of a queued broadcast has come. The row is authoritative; queue messages only wake a worker."""

import json
import logging
from collections.abc import Iterable
from typing import Self
from uuid import uuid4

from pynamodb.exceptions import AttributeDeserializationError, UpdateError

from ws_lambda import clock, delivery
from ws_lambda.tables.fanout_jobs import FanoutJobRow
from ws_lambda.tables.shared_connection import condition_failed

_log = logging.getLogger("ws_lambda.fanout")


class JobBusy(Exception):
    """Another worker has the job. It is retried when the queue delivers the message again."""

    def __init__(self, job_id: str, seconds: float) -> None:
        super().__init__(f"job {job_id} is with another worker")
        self.seconds = seconds
        """For how long the other worker still has the job, if it writes no more checkpoints."""


class JobLost(Exception):
    """This worker wrote no checkpoint for too long, and another worker has the job now."""


class JobRefused(Exception):
    """The job has no row with its digest, so it was not queued by anybody who may. It is not sent."""


class FanoutJob(FanoutJobRow):
    """One job: one part of a broadcast's recipients."""

    @classmethod
    def claim(cls, job: delivery.Job, seconds: float) -> Self | None:
        """Takes a job. Returns None if it is finished.

        Raises:
            JobBusy: another worker has it.
            JobRefused: it has no row, or the row belongs to another job.
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
            raise JobRefused(f"the row of job {job.job_id} cannot be read: {unreadable}") from unreadable
        except UpdateError as refused:
            if not condition_failed(refused):
                raise
            try:
                row.refresh(consistent_read=True)
            except cls.DoesNotExist:
                raise JobRefused(
                    f"job {job.job_id} has no row, so it was not queued by a sender with the right to do so"
                ) from refused
            if row.digest != job.digest:
                raise JobRefused(f"job {job.job_id} differs from what its sender queued") from refused
            if row.worker == worker:
                return row  # taken by this request, whose first answer was lost
            if row.finished:
                return None
            left = (int(row.leased_until) - _now()) / 1000
            raise JobBusy(job.job_id, max(0.0, left)) from refused
        return row

    def position(self, job: delivery.Job) -> tuple[str, list[delivery.Recipient]]:
        """Where the job continues.

        If the stored position does not fit the job, it begins again, and some recipients get the message twice.

        Returns:
            The last recipient that was read ("" for none), and the recipients to send to first.
        """
        try:
            waiting = list(delivery.recipients_of(json.loads(self.pending)))
            if not self.after or job.fits(self.after):
                return self.after, waiting
            wrong: object = self.after
        except (ValueError, RecursionError) as unreadable:
            wrong = unreadable
        _log.warning("job %s begins again, because its stored position does not fit: %s", self.job_id, wrong)
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
        """Stores how far the job has come, and keeps it for so many more seconds; 0 releases it.

        Args:
            counts: sent, gone and failed so far.

        Raises:
            JobLost: another worker has taken the job over.
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
