"""Handing a big broadcast to the fan-out queue."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from ws_lambda import aws
from ws_lambda.conf import conf
from ws_lambda.delivery import roster
from ws_lambda.delivery.audiences import Audience, Listed
from ws_lambda.delivery.jobs import LISTED_IN_A_JOB, Job
from ws_lambda.delivery.outcomes import Recipient
from ws_lambda.exceptions import DeliveryError

BATCH_BYTES: Final = 262_144
BATCH_ENTRIES: Final = 10
_TRIES = 3


def jobs_for(audience: Audience, body: bytes, head: Sequence[Recipient], rest: Iterable[Recipient]) -> Iterator[Job]:
    """The jobs of a broadcast.

    Args:
        head: the first recipients, as far as they have been read.
        rest: those after them; read only of a `Listed` audience.
    """
    broadcast_id = uuid.uuid4().hex
    if isinstance(audience, Listed):
        everyone = chain(head, rest)
        number = 0
        while some := tuple(islice(everyone, LISTED_IN_A_JOB)):
            yield Job(job_id=f"{broadcast_id}.{number}", body=body, pieces=conf.FANOUT_WORKERS, listed=some)
            number += 1
        return
    whole = roster.parts_of(audience)
    each = max(1, conf.FANOUT_WORKERS // len(whole))
    parts = [piece for part in whole for piece in roster.divided(part, each, first=head[0].connection_id)]
    for number, part in enumerate(parts):
        yield Job(job_id=f"{broadcast_id}.{number}", body=body, pieces=len(parts), part=part)


def enqueue(jobs: Iterable[Job]) -> int:
    """Puts jobs on FANOUT_QUEUE_URL; how many. When this returns, SQS has them all.

    Raises:
        DeliveryError: SQS would not take one. Those before it are on the queue, and will be sent.
    """
    count = 0
    for batch in _batches(job.to_json() for job in jobs):
        _send(batch)
        count += len(batch)
    return count


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


def _send(batch: list[str]) -> None:
    client = aws.client("sqs")
    left = {str(number): message for number, message in enumerate(batch)}
    for _ in range(_TRIES):
        entries = [{"Id": key, "MessageBody": message} for key, message in left.items()]
        answer = client.send_message_batch(QueueUrl=conf.FANOUT_QUEUE_URL, Entries=entries)
        failed = answer.get("Failed", [])
        if not failed:
            return
        left = {one["Id"]: left[one["Id"]] for one in failed}
    raise DeliveryError(f"SQS did not take {len(left)} jobs: {failed[0].get('Code')} {failed[0].get('Message', '')}")
