"""Sends a message at once to few recipients, or through the queue to many."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from ws_lambda import telemetry
from ws_lambda.conf import conf
from ws_lambda.delivery import job_queue, payload, roster
from ws_lambda.delivery.audiences import Audience, Listed
from ws_lambda.delivery.broadcasting import OnGone, broadcast
from ws_lambda.delivery.connecting import check_open
from ws_lambda.delivery.outcomes import DeliveryReport, Recipient
from ws_lambda.delivery.progress import OnProgress


def send(audience: Audience, data: Any, *, on_gone: OnGone, progress: OnProgress | None = None) -> DeliveryReport:
    """Sends a message to everyone in an audience.

    Up to FANOUT_INLINE_MAX recipients are sent to before this returns. If there are more, and a FANOUT_QUEUE_URL, they
    are left to its workers. Then no more of the roster is read than it takes to see that.

    Args:
        audience: the recipients.
        data: a string, sent as it is, or anything that Django's JSON encoder supports.
        on_gone: called with batches of recipients that are gone, when everybody else has been sent to.
        progress: see `progress.OnProgress`.

    Returns:
        The outcome for every recipient, or how many jobs were queued.

    Raises:
        ValueError: the message is over 131,072 bytes, or the only recipient has no endpoint. Nothing was sent.
        NotOpenYet: this invocation is answering the `$connect` of the only recipient. Nothing was sent.
        DeliveryError: the roster could not be read, or the queue did not accept the jobs.
        botocore.exceptions.NoCredentialsError: there is nothing to sign with.
    """
    body = payload.encode(data)
    if isinstance(audience, Listed):
        _check_unicast(audience)
    if not conf.FANOUT_QUEUE_URL:
        return broadcast(_recipients(audience), body, on_gone=on_gone, progress=progress)
    return _send_or_queue(audience, body, on_gone, progress)


def _send_or_queue(audience: Audience, body: bytes, on_gone: OnGone, progress: OnProgress | None) -> DeliveryReport:
    started = time.monotonic()
    source = roster.settled(_recipients(audience))
    head = list(islice(source, conf.FANOUT_INLINE_MAX + 1))
    if len(head) <= conf.FANOUT_INLINE_MAX:
        hold_over = partial(job_queue.hold_over, body, job_queue.lifetime())
        return broadcast(head, body, on_gone=on_gone, on_not_open=hold_over, progress=progress)

    queued = job_queue.enqueue(job_queue.jobs_for(audience, body, head, source))
    source.close()
    telemetry.count("Queued", queued)
    return DeliveryReport(queued=queued, seconds=time.monotonic() - started)


def _recipients(audience: Audience) -> Sequence[Recipient] | Iterator[Recipient | None]:
    if not isinstance(audience, Listed):
        return roster.everyone_in(roster.parts_of(audience), first=conf.FANOUT_INLINE_MAX + 1)
    listed = audience.recipients
    return listed if isinstance(listed, Sequence) else iter(listed)


def _check_unicast(audience: Listed) -> None:
    listed = audience.recipients
    if not isinstance(listed, Sequence) or len(listed) != 1:
        return
    check_open(listed[0].connection_id)
    if not listed[0].endpoint_url:
        raise ValueError(f"The session of connection {listed[0].connection_id} has no endpoint to send to.")
