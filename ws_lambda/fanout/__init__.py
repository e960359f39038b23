"""The worker of the fan-out queue: takes jobs from SQS events and sends to their recipients.

The row of a job in `fanout_jobs` says how far the job has come; the messages on the queue only wake a worker up. So a
message that is delivered twice does no harm. If a worker is killed, the next one goes on from the last checkpoint: no
recipient is left out, and at most those who were sent to after that checkpoint (PROGRESS_EVERY, and those in flight)
get the message twice. A worker that runs out of time puts its job on the queue again.

The sender writes the row, with a digest of the job, before it queues the job. A job without such a row is sent to
nobody: its message goes back until it is in the dead-letter queue.
"""

import logging
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.exceptions import BotoCoreError, ClientError

from ws_lambda import aws, clock, delivery
from ws_lambda.conf import conf
from ws_lambda.deadlines import MARGIN
from ws_lambda.exceptions import DeliveryError
from ws_lambda.fanout.job_progress import Hide, claim
from ws_lambda.models.fanout_jobs import JobBusy, JobLost, JobRefused

logger = logging.getLogger("ws_lambda.fanout")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Processes the jobs in an SQS event, one after the other.

    Returns:
        `{"batchItemFailures": [...]}`: the messages that SQS has to deliver again. The event source mapping must have
        `ReportBatchItemFailures`, or one failure repeats the whole batch.

    Raises:
        DeliveryError: the function's timeout leaves no time to send. Queuing the jobs again would repeat
            this for ever.
    """
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    with delivery.invocation_deadline(context):
        if delivery.seconds_left() <= 0:
            raise DeliveryError(f"A worker needs more than {MARGIN:g} seconds: give the function a longer timeout.")
        return dict(process_partial_response(event, _take, processor, context))


def _take(record: Any) -> None:
    """Processes one SQS message. If it raises, the message goes back."""
    hide = partial(_hide, record.receipt_handle)
    try:
        work_off(delivery.Job.from_json(record.body), hide)
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
    except (ClientError, BotoCoreError) as error:  # the queue's own visibility timeout applies then
        logger.warning("the visibility timeout of a message could not be changed: %s", error)


def work_off(job: delivery.Job, hide: Hide) -> None:
    """Sends to the recipients of a job, from its last checkpoint on. Puts it on the queue again if time runs out.

    Raises:
        JobBusy: another worker has the job.
        JobLost: another worker has taken the job over.
        JobRefused: no sender has written a row for it.
        DeliveryError: its roster could not be read, SQS did not accept it, or it is too old.
    """
    if clock.now() > job.not_after:
        raise DeliveryError(f"Job {job.job_id} is too old to be sent")
    progress = claim(job, hide)
    if progress is None:
        logger.info("job %s was finished before", job.job_id)
        return
    try:
        report = delivery.broadcast(
            progress.recipients(),
            job.body,
            on_gone=_leave_to_checkpoints,
            on_not_open=_leave_to_checkpoints,
            waits_for_opening=not job.held_over,
            pace=delivery.worker_pace(job.pieces),
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
        delivery.requeue(job)


def _leave_to_checkpoints(_recipients: Any) -> None:
    """Does nothing: `JobProgress.note` has dealt with those who are gone, or not open yet."""
