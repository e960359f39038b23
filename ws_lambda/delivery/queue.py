"""Handing a big broadcast to the fan-out queue."""

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
from ws_lambda.delivery.jobs import LIFETIME, LISTED_IN_A_JOB, Job
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
    make = partial(_job, uuid.uuid4().hex, body, int(clock.now()) + LIFETIME)
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


def enqueue(jobs: Iterable[Job]) -> int:
    """Puts jobs on FANOUT_QUEUE_URL; how many. When this returns, SQS has them all.

    Raises:
        DeliveryError: SQS would not take one. Those before it are on the queue, and will be sent.
    """
    taken = 0
    for batch in _batches(job.to_json() for job in jobs):
        _send(batch)
        taken += len(batch)
    return taken


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
        try:
            answer = client.send_message_batch(QueueUrl=conf.FANOUT_QUEUE_URL, Entries=entries)
        except (BotoCoreError, ClientError) as refused:
            raise DeliveryError(f"SQS did not take {len(left)} jobs: {refused}") from refused
        failed = answer.get("Failed", [])
        if not failed:
            return
        left = {one["Id"]: left[one["Id"]] for one in failed}
    raise DeliveryError(f"SQS did not take {len(left)} jobs: {failed[0].get('Code')} {failed[0].get('Message', '')}")
