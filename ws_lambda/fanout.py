"""The worker of the fan-out queue: takes jobs from SQS events and sends to their recipients.

A job's row in `fanout_jobs` says how far it has come, and the queue's messages only wake a worker up. So a message
that comes twice does no harm, and one whose worker was killed is taken up where the last checkpoint was: nobody is
left out, and at most those are sent to twice who got theirs after that checkpoint (PROGRESS_EVERY and whoever was in
flight). A job that its invocation has no time for is put on the queue again, for the next one.

The sender writes the row, with a digest of the job, before it queues the job. A message without such a row goes back
until it is in the dead-letter queue, and is sent to nobody.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.exceptions import BotoCoreError, ClientError

from ws_lambda import aws, clock, delivery
from ws_lambda.conf import conf
from ws_lambda.deadlines import MARGIN
from ws_lambda.delivery import job_queue, pacing, roster
from ws_lambda.delivery.broadcasting import Deliveries
from ws_lambda.delivery.calls import Calls
from ws_lambda.delivery.dispatch import Dispatch
from ws_lambda.delivery.jobs import Job
from ws_lambda.exceptions import DeliveryError
from ws_lambda.models.batch_closing import BatchCloser
from ws_lambda.models.fanout_jobs import FanoutJob, JobBusy, JobLost, JobRefused
from ws_lambda.models.session import WebSocketSession

logger = logging.getLogger("ws_lambda.fanout")

LEASE = 30.0
"""Seconds that a worker has a job to itself after a checkpoint, and after which a killed one's message comes back.

Checkpoints come every five seconds at least."""

Hide = Callable[[float], None]
"""Keeps a job's message from being delivered again for so many seconds."""


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Works off the jobs of an SQS event, one after the other.

    Returns:
        `{"batchItemFailures": [...]}`: the messages that SQS is to deliver again. The event source mapping has to
        have `ReportBatchItemFailures`, or one failure repeats the whole batch.

    Raises:
        DeliveryError: the function's timeout leaves no time to send. Putting the jobs on the queue again would only
            go round and round.
    """
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    with delivery.invocation_deadline(context):
        if delivery.seconds_left() <= 0:
            raise DeliveryError(f"A worker needs more than {MARGIN:g} seconds: give the function a longer timeout")
        return dict(process_partial_response(event, _take, processor, context))


def _take(record: Any) -> None:
    """One SQS message. What this raises puts the message back."""
    hide = partial(_hide, record.receipt_handle)
    try:
        work_off(Job.from_json(record.body), hide)
    except JobBusy as busy:
        hide(busy.seconds + 1)
        logger.info("message %s waits: %s", record.message_id, busy)
        raise
    except JobRefused as refused:
        logger.error("message %s is refused: %s", record.message_id, refused)
        raise
    except Exception as error:
        logger.warning("message %s goes back: %s: %s", record.message_id, type(error).__name__, error)
        raise


def _hide(receipt_handle: str, seconds: float) -> None:
    try:
        aws.client("sqs").change_message_visibility(
            QueueUrl=conf.FANOUT_QUEUE_URL, ReceiptHandle=receipt_handle, VisibilityTimeout=int(seconds + 0.999)
        )
    except (ClientError, BotoCoreError) as error:  # the queue's own visibility timeout holds then
        logger.warning("a message's visibility timeout stays as it was: %s", error)


def work_off(job: Job, hide: Hide) -> None:
    """Sends to the recipients of a job from where it stands; puts it on the queue again if time runs out.

    Raises:
        JobBusy: another worker has it.
        JobLost: another worker has taken it over.
        JobRefused: no sender has written it down.
        DeliveryError: its roster cannot be read, the queue did not take it back, or its time is over.
    """
    if clock.now() > job.not_after:
        raise DeliveryError(f"Job {job.job_id} is too old to be sent")
    row = FanoutJob.claim(job, LEASE)
    if row is None:
        logger.info("job %s was finished before", job.job_id)
        return
    progress = _Progress(job, row, hide)
    try:
        report = delivery.broadcast(
            progress.recipients(),
            job.body,
            on_gone=_leave_to_checkpoints,
            on_not_open=_leave_to_checkpoints,
            waits_for_opening=not job.held_over,
            pace=pacing.share_of(job.pieces),
            progress=progress.note,
            resumable=True,
            beside=progress.closing,
        )
    except JobLost:
        raise
    except BaseException:
        progress.write(seconds=0)
        raise
    finally:
        progress.finish_closing()
    logger.info("job %s: %s", job.job_id, report)
    if progress.unreadable:
        raise DeliveryError(f"The roster of job {job.job_id} was read only in part")
    if not progress.finished:
        job_queue.enqueue_again(job)


def _leave_to_checkpoints(_recipients: Any) -> None:
    """Who is gone, or not open yet, has been seen to by the checkpoint that counts them."""


def _still_there(recipients: Sequence[delivery.Recipient]) -> list[delivery.Recipient]:
    """Those whose session is open, in that generation: who has left while the queue held the message is not asked."""
    found = WebSocketSession.batch_get([one.connection_id for one in recipients], consistent_read=True)
    open_now = {one.recipient for one in found if one.connected}
    return [one for one in recipients if one in open_now]


class _Progress:
    """Where a job stands, and the writing down of it."""

    def __init__(self, job: Job, row: FanoutJob, hide: Hide) -> None:
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
        """First those whose outcome the checkpoint did not know, then the rest of the part."""
        part, after = self._job.part, self._after
        yield from self._again
        if part is None:
            left = self._job.listed[int(after or 0) :]
            yield from _still_there(left) if self._job.held_over else left
        else:
            yield from roster.in_order(part.resumed_at(after) if after else part)

    def note(self, dispatch: Dispatch) -> None:
        """Takes stock of the round, has whoever is gone closed meanwhile, and writes it down."""
        assert isinstance(dispatch, Deliveries)  # noqa: S101 - for the type checker: broadcast runs no other
        self._closer.close(dispatch.gone[self._closed :])
        self._closed = len(dispatch.gone)
        if not_open := dispatch.not_open[self._held_over :]:
            job_queue.hold_over(self._job.body, self._job.not_after, not_open)
            self._held_over = len(dispatch.not_open)
        if dispatch.taken > len(self._again) and dispatch.last is not None:
            self._after = self._cursor(dispatch.last)
        self._pending = [one.recipient for one in dispatch.under_way] + self._again[dispatch.taken :]
        now_done = (dispatch.sent, len(dispatch.gone), len(dispatch.failed))
        self._counts = tuple(map(sum, zip(self._before, now_done, strict=True)))
        self.unreadable = dispatch.source_error is not None
        self.finished = dispatch.over and not dispatch.unread and not self._pending
        self.write(seconds=0 if dispatch.over else LEASE)

    @property
    def closing(self) -> Calls | None:
        """The closing of who is gone, to be done beside the sending. A transport for tests does one at a time."""
        return None if delivery.installed() else self._closer.work

    def finish_closing(self) -> None:
        """To be called before the invocation may end. Whoever could not be closed is found again by the next send."""
        try:
            self._closer.finish()
        except Exception:
            logger.exception("the closing of gone connections ended early")
        if errors := self._closer.errors:
            logger.error("%d requests to close gone connections failed: %s", len(errors), errors[0])

    def write(self, seconds: float) -> None:
        """Writes the checkpoint, and keeps the job for so many seconds; 0 lets go of it."""
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
        """Keeps the message away from others for as long as the lease, or it comes back when the queue likes."""
        now = time.monotonic()
        if now - self._hidden_at > LEASE / 3:
            self._hidden_at = now
            self._hide(LEASE)

    def _cursor(self, last: delivery.Recipient) -> str:
        if self._job.part is None:
            return str(self._job.listed.index(last) + 1)
        return self._job.part.cursor(last)
