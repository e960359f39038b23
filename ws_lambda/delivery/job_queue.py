"""The fan-out queue: puts big broadcasts, and messages for connections that are not open yet, on SQS.

Before a job is queued, its row is written with a digest of the whole job. The worker takes only such jobs. So a person
who can put messages on the queue, and nothing else, cannot make the function post anything.
"""

import math
import uuid
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, count, islice
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ws_lambda import aws, clock
from ws_lambda.conf import conf
from ws_lambda.delivery import roster
from ws_lambda.delivery.audiences import Audience, Listed
from ws_lambda.delivery.job_rows import register
from ws_lambda.delivery.jobs import LIFETIME, LISTED_IN_A_JOB, Job
from ws_lambda.delivery.outcomes import YOUNG_SECONDS, Recipient
from ws_lambda.exceptions import DeliveryError
from ws_lambda.retrying import Retry

BATCH_BYTES: Final = 262_144
BATCH_ENTRIES: Final = 10
ROWS_AT_ONCE: Final = 25
_RETRY: Final = Retry(base=0.2, attempts=3, overtime=1.0)
"""With overtime, because jobs are also queued after sending, which may end at the deadline."""


def jobs_for(audience: Audience, body: bytes, head: Sequence[Recipient], rest: Iterable[Recipient]) -> Iterator[Job]:
    """The jobs of a broadcast.

    Args:
        head: the recipients that have been read.
        rest: those after them. Read only for a `Listed` audience.
    """
    make = partial(_job, uuid.uuid4().hex, body, lifetime())
    if isinstance(audience, Listed):
        everyone = chain(head, rest)
        for number in count():
            if not (some := tuple(islice(everyone, LISTED_IN_A_JOB))):
                break
            yield make(number, conf.FANOUT_WORKERS, listed=some)
        return
    whole = roster.parts_of(audience)
    each = max(1, conf.FANOUT_WORKERS // len(whole))
    parts = [piece for part in whole for piece in roster.divided(part, each, first=head[0].connection_id)]
    for number, part in enumerate(parts):
        yield make(number, len(parts), part=part)


def _job(broadcast_id: str, body: bytes, not_after: int, number: int, pieces: int, **whom: Any) -> Job:
    return Job(job_id=f"{broadcast_id}.{number}", body=body, not_after=not_after, pieces=pieces, **whom)


def hold_over(body: bytes, not_after: int, recipients: Sequence[Recipient]) -> None:
    """Puts a message on the queue for recipients that are not open yet.

    The older they are, the longer a worker waits before it tries them again, until they are too old to be opening.

    Raises:
        DeliveryError: SQS or DynamoDB did not accept it.
    """
    make = partial(_job, uuid.uuid4().hex, body, not_after)
    listed = iter(recipients)
    for number in count():
        if not (some := tuple(islice(listed, LISTED_IN_A_JOB))):
            return
        enqueue([make(number, conf.FANOUT_WORKERS, listed=some, held_over=True)], delay=_delay(some))


def _delay(recipients: Sequence[Recipient]) -> int:
    """Seconds until connections are tried again: the age of the youngest one, but not beyond YOUNG_SECONDS."""
    age = max(1.0, min(one.age for one in recipients))
    return max(1, math.ceil(min(age, YOUNG_SECONDS - age)))


def lifetime() -> int:
    """The `not_after` of a job that is created now."""
    return int(clock.now()) + LIFETIME


def enqueue(jobs: Iterable[Job], *, delay: int = 0) -> int:
    """Writes the rows of new jobs, puts the jobs on FANOUT_QUEUE_URL, and returns how many. SQS then has them all.

    Args:
        delay: seconds until a worker gets them, at most 900.

    Raises:
        DeliveryError: DynamoDB or SQS did not accept one. The jobs before it are on the queue, and will be sent.
    """
    source, taken = iter(jobs), 0
    while some := list(islice(source, ROWS_AT_ONCE)):
        register(some)
        taken += sum(map(len, _sent(some, delay)))
    return taken


def requeue(job: Job) -> None:
    """Puts a job on the queue again. Its row stays as it is. Raises the errors of `enqueue`."""
    for _batch in _sent([job], 0):
        pass


def _sent(jobs: Iterable[Job], delay: int) -> Iterator[list[str]]:
    for batch in _batches(job.to_json() for job in jobs):
        _send(batch, delay)
        yield batch


def _batches(messages: Iterable[str]) -> Iterator[list[str]]:
    """The messages in batches, each as big as one request may be."""
    batch: list[str] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == BATCH_ENTRIES or size + len(message) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message)
    if batch:
        yield batch


def _send(batch: list[str], delay: int) -> None:
    client = aws.client("sqs")
    left = {str(number): message for number, message in enumerate(batch)}
    attempts = _RETRY.begin()
    while True:
        more = {"DelaySeconds": delay} if delay else {}
        entries = [{"Id": key, "MessageBody": message, **more} for key, message in left.items()]
        try:
            answer = client.send_message_batch(QueueUrl=conf.FANOUT_QUEUE_URL, Entries=entries)
        except (BotoCoreError, ClientError) as refused:
            raise DeliveryError(f"SQS did not accept {len(left)} jobs: {refused}") from refused
        failed = answer.get("Failed", [])
        if not failed:
            return
        left = {one["Id"]: left[one["Id"]] for one in failed}
        if not attempts.wait():
            why = f"{failed[0].get('Code')} {failed[0].get('Message', '')}"
            raise DeliveryError(f"SQS did not accept {len(left)} jobs: {why}")
