"""Handing a big broadcast, and a message for those who are not open yet, to the fan-out queue.

Before a job is queued its row is written, with a digest of the whole of it. The worker takes only such jobs: whoever
can put messages on the queue, and nothing else, cannot have the function post anywhere.
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
"""Jobs are also queued when sending is over, which may be at the deadline."""


def jobs_for(audience: Audience, body: bytes, head: Sequence[Recipient], rest: Iterable[Recipient]) -> Iterator[Job]:
    """The jobs of a broadcast.

    Args:
        head: the first recipients, as far as they have been read.
        rest: those after them; read only of a `Listed` audience.
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

    The time until a worker tries them again grows with their age, and ends when they are too old to be opening.

    Raises:
        DeliveryError: SQS or DynamoDB would not take it.
    """
    make = partial(_job, uuid.uuid4().hex, body, not_after)
    listed = iter(recipients)
    for number in count():
        if not (some := tuple(islice(listed, LISTED_IN_A_JOB))):
            return
        enqueue([make(number, conf.FANOUT_WORKERS, listed=some, held_over=True)], delay=_delay(some))


def _delay(recipients: Sequence[Recipient]) -> int:
    """Seconds until connections are tried again: as old as the youngest is, but not past its youth."""
    age = max(1.0, min(one.age for one in recipients))
    return max(1, math.ceil(min(age, YOUNG_SECONDS - age)))


def lifetime() -> int:
    """The `not_after` of a job that is made now."""
    return int(clock.now()) + LIFETIME


def enqueue(jobs: Iterable[Job], *, delay: int = 0) -> int:
    """Writes the rows of new jobs, then puts them on FANOUT_QUEUE_URL; how many. When this returns, SQS has them all.

    Args:
        delay: seconds until a worker gets them, up to 900.

    Raises:
        DeliveryError: DynamoDB or SQS would not take one. Those before it are on the queue, and will be sent.
    """
    source, taken = iter(jobs), 0
    while some := list(islice(source, ROWS_AT_ONCE)):
        register(some)
        taken += sum(map(len, _sent(some, delay)))
    return taken


def requeue(job: Job) -> None:
    """Puts a job on the queue once more. Its row stays as it is. Raises what `enqueue` does."""
    for _batch in _sent([job], 0):
        pass


def _sent(jobs: Iterable[Job], delay: int) -> Iterator[list[str]]:
    for batch in _batches(job.to_json() for job in jobs):
        _send(batch, delay)
        yield batch


def _batches(messages: Iterable[str]) -> Iterator[list[str]]:
    """As many at a time as one request may carry."""
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
            raise DeliveryError(f"SQS did not take {len(left)} jobs: {refused}") from refused
        failed = answer.get("Failed", [])
        if not failed:
            return
        left = {one["Id"]: left[one["Id"]] for one in failed}
        if not attempts.wait():
            why = f"{failed[0].get('Code')} {failed[0].get('Message', '')}"
            raise DeliveryError(f"SQS did not take {len(left)} jobs: {why}")
