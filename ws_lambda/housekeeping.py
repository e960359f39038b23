"""Closes what has ended without anybody being told: `$disconnect` is best effort, and may never come.

A run walks through the index of open connections, then through the memberships, and then once more through the open
connections, for users whose time has ended. It is cut short by the time that Lambda leaves it, notes where it was,
and the next run goes on from there. Two runs at once do no harm: every change is conditional, and what one has closed
the other finds closed.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.db import close_old_connections
from pynamodb.exceptions import DeleteError
from pynamodb.pagination import ResultIterator

from ws_lambda import aws, clock, delivery, telemetry
from ws_lambda.conf import conf
from ws_lambda.gatekeeping.judging import judge_silent
from ws_lambda.models import ChannelMembership, WebSocketSession
from ws_lambda.models.attributes import milliseconds
from ws_lambda.models.base import condition_failed
from ws_lambda.models.closing import drop_again
from ws_lambda.models.cursors import Cursor
from ws_lambda.models.sessions import LIVE_SHARDS, MAX_DURATION

IDLE = timedelta(minutes=10)
"""API Gateway closes a connection that says nothing for so long; only older ones are asked about.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

MARGIN = 5.0
"""Seconds of an invocation that are kept for noting the position and for the answer."""

GRACE = 2.0
"""Of those, seconds that a page which has been begun may take."""

PAGE = 100
"""Connections looked at between two glances at the clock."""

_CURSOR = "prune"
_USERS = "users of "
_STEPS = (*LIVE_SHARDS, "memberships", *(_USERS + shard for shard in LIVE_SHARDS))
"""Users come last: whatever a project keeps them in, if that does not answer it must hold up nothing else."""

_log = logging.getLogger("ws_lambda")


@dataclass(kw_only=True)
class Pruned:
    """What a run did."""

    asked: int = 0
    """Connections that API Gateway was asked about."""

    expired: int = 0
    """Sessions closed because no connection lives longer than two hours."""

    gone: int = 0
    """Sessions closed because API Gateway no longer knows their connection."""

    dropped: int = 0
    """Sockets of sessions closed before that needed another try: closed now, or gone."""

    orphans: int = 0
    """Memberships removed whose connection is closed, or was another one."""

    unknown: int = 0
    """Connections about which API Gateway gave no answer; the next run asks again."""

    put_out: int = 0
    """Connections closed that say nothing, and whose user or login has ended or has lost the right to be there."""

    removed: int = 0
    """Channels taken away from connections that say nothing, because their users may no longer be in them."""

    unjudged: int = 0
    """Connections that stay because their users, logins or views could not be asked; the next run tries again."""

    complete: bool = False
    """Whether the run came to the end; otherwise the next one goes on where it stopped."""


Progress = Callable[[Pruned], object]


def prune(event: Any = None, context: Any = None) -> dict[str, Any]:
    """The scheduled function. Returns and logs what it did.

    Args:
        event: of the schedule; not looked at.
        context: Lambda's, which says how much time is left.
    """
    close_old_connections()  # as Django does before a request: one to SQL may have died since the last event
    seconds = context.get_remaining_time_in_millis() / 1000 - MARGIN if context is not None else None
    with telemetry.invocation(request_id=getattr(context, "aws_request_id", ""), route="prune"):
        pruned = run(seconds)
        telemetry.count("PruneRuns")
        telemetry.count("Pruned", pruned.expired + pruned.gone + pruned.orphans + pruned.put_out)
        _measure_queue()
    return asdict(pruned)


def _measure_queue() -> None:
    """Puts the length of the fan-out queue beside the function's own metrics."""
    if not conf.FANOUT_QUEUE_URL:
        return
    name = "ApproximateNumberOfMessages"
    try:
        found = aws.client("sqs").get_queue_attributes(QueueUrl=conf.FANOUT_QUEUE_URL, AttributeNames=[name])
    except (BotoCoreError, ClientError) as error:
        _log.warning("The fan-out queue could not be measured: %s", error)
    else:
        telemetry.count("QueueDepth", int(found["Attributes"][name]))


def run(seconds: float | None = None, *, progress: Progress | None = None) -> Pruned:
    """Closes ended sessions, removes orphaned memberships and puts out whose login has ended.

    Args:
        seconds: how long it may take; None for as long as it takes.
        progress: is called after every page.
    """
    pruned = Pruned()
    if position := Cursor.read(_CURSOR):
        Cursor.clear(_CURSOR)  # if this run dies where it goes on, the next one is not to die there again
    ends = time.monotonic() + seconds if seconds is not None else float("inf")
    with delivery.deadline(seconds + GRACE if seconds is not None else float("inf")):
        pruned.dropped = drop_again(ends)
        for place in _places(position, pruned):
            if progress is not None:
                progress(pruned)
            if place and time.monotonic() >= ends:
                Cursor.write(_CURSOR, place)
                return _told(pruned)
    pruned.complete = True
    return _told(pruned)


def _places(position: dict[str, Any], pruned: Pruned) -> Iterator[dict[str, Any]]:
    """Does the work page by page; yields where the next page begins, and nothing at the very end."""
    first = _STEPS.index(position["step"]) if position.get("step") in _STEPS else 0
    for number, step in enumerate(_STEPS[first:], first):
        for key in _walk(step, position.get("key") if number == first else None, pruned):
            following = _STEPS[number + 1 : number + 2]
            yield {"step": step, "key": key} if key else {"step": following[0], "key": None} if following else {}


def _told(pruned: Pruned) -> Pruned:
    _log.info("Pruned: %s", ", ".join(f"{name} {value}" for name, value in asdict(pruned).items()))
    return pruned


def _walk(step: str, start: Any, pruned: Pruned) -> Iterator[Any]:
    """Does one step page by page; yields the key to go on from, None at the end."""
    rows: ResultIterator[Any]
    if step == "memberships":
        rows = ChannelMembership.scan(limit=None, page_size=PAGE, last_evaluated_key=start)
        work: Callable[[Sequence[Any], Pruned], None] = _remove_orphans
    else:
        rows = WebSocketSession.live.query(step.removeprefix(_USERS), page_size=PAGE, last_evaluated_key=start)
        work = _put_out if step.startswith(_USERS) else _close_ended
    while page := list(islice(rows, PAGE)):
        work(page, pruned)
        yield rows.last_evaluated_key


def _close_ended(rows: Sequence[Any], pruned: Pruned) -> None:
    now = clock.utcnow()
    old: list[delivery.Recipient] = []
    quiet: list[delivery.Recipient] = []
    for row in rows:
        recipient = delivery.Recipient(row.connection_id, row.endpoint_url, milliseconds(row.connected_at))
        age = now - row.connected_at
        if age > MAX_DURATION:
            old.append(recipient)
        elif age > IDLE:
            quiet.append(recipient)
    pruned.expired += WebSocketSession.objects.close_gone(old)
    pruned.gone += WebSocketSession.objects.close_gone(list(_gone(quiet, pruned)))


def _gone(recipients: Iterable[delivery.Recipient], pruned: Pruned) -> Iterator[delivery.Recipient]:
    for recipient, status in delivery.inspect(recipients):
        pruned.asked += 1
        if status.state == "gone":
            yield recipient
        elif status.state == "unknown":
            pruned.unknown += 1


def _remove_orphans(rows: Sequence[Any], pruned: Pruned) -> None:
    """Removes memberships without an open session. Both are written in one transaction, so none is ever early."""
    ids = {row.connection_id for row in rows}
    found = WebSocketSession.batch_get(list(ids), consistent_read=True)
    open_since = {one.connection_id: one.connected_at for one in found if one.connected}
    for row in rows:
        if open_since.get(row.connection_id) == row.connected_at:
            continue
        try:
            row.delete(condition=ChannelMembership.connected_at == row.connected_at)
        except DeleteError as failed:
            if not condition_failed(failed):
                raise
        else:
            pruned.orphans += 1


def _put_out(rows: Sequence[Any], pruned: Pruned) -> None:
    """Closes connections whose login has ended. After an error nobody else is looked at in this run: a database that
    is down would take its time for every page."""
    owned = [row.connection_id for row in rows if row.user_id]
    if owned and not pruned.unjudged:
        try:
            judged = judge_silent(owned)
            pruned.put_out += judged.put_out
            pruned.removed += judged.removed
            pruned.unjudged += judged.unjudged
            return
        except Exception:
            _log.exception("Users could not be looked up, so their connections stay; the next run tries again")
    pruned.unjudged += len(owned)
