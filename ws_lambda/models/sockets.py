"""Closing the sockets of sessions that are closed already, at once or later by the schedule."""

import contextvars
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Self

from ws_lambda import delivery
from ws_lambda.models.recipients import recipient_of
from ws_lambda.tables.sessions import CLOSING, MAX_DURATION, SessionRow

_PAGE = 100

_log = logging.getLogger("ws_lambda")


def close_sockets(recipients: Sequence[delivery.Recipient]) -> delivery.DeliveryReport:
    """Closes the sockets of closed sessions. `close_remaining_sockets` retries those that cannot be closed now.

    A connection whose own `$connect` is running in this invocation counts as closed: its connect is refused.
    """
    connecting = delivery.under_way()
    for one in recipients:
        if one.connection_id in connecting:
            connecting[one.connection_id].disconnected = True
    others = [one for one in recipients if one.connection_id not in connecting]
    report = delivery.close(others)
    failed = {failure.connection_id for failure in report.failed}
    still_open = [_still_open(one) for one in others if one.connection_id in failed]
    closed = [_closed(one) for one in others if one.connection_id not in failed and one.is_young]
    delivery.call_all([*still_open, *closed])
    if errors := _errors(closed):  # at worst they are closed twice
        _log.warning("%d sockets were closed but could not be marked as closed: %s", len(errors), errors[0])
    _check(still_open)
    return replace(report, sent=report.sent + len(recipients) - len(others))


class SocketCloser:
    """Closes sockets in a thread, one page at a time, while the next page of sessions is being closed.

    with SocketCloser(told) as sockets:
        for page in pages:
            close_all(page)
            sockets.begin(page, more=True)
    """

    def __init__(self, told: Callable[[delivery.DeliveryReport], object]) -> None:
        """
        Args:
            told: called with the report of each page.
        """
        self._told = told
        self._thread = ThreadPoolExecutor(1, "ws-sockets")
        self._under_way: Future[delivery.DeliveryReport] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._thread:
            self._wait()

    def begin(self, recipients: Sequence[delivery.Recipient], *, more: bool) -> None:
        """Waits for the previous page, then begins with this one. Raises what the previous page raised.

        Args:
            more: whether another page follows. If not, the sockets are closed when this returns.
        """
        self._wait()
        if recipients and (not more or delivery.installed() is not None):
            self._told(close_sockets(recipients))
        elif recipients:
            run = contextvars.copy_context().run  # it has the deadline and the rate limit
            self._under_way = self._thread.submit(run, close_sockets, recipients)

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            self._told(under_way.result())


def close_remaining_sockets(until: float = float("inf")) -> int:
    """Closes the sockets of the sessions in the partition `CLOSING`. Returns how many are done with.

    A socket is done with when it is closed, when it is gone and would have opened by now, or when it has reached the
    age at which API Gateway closes every connection. Each is tried once. A run begins at random with the oldest or the
    newest, so that sockets that keep failing until the time is up cannot hold up those at the other end.

    Args:
        until: the `time.monotonic()` after which no more are tried.
    """
    from_the_oldest = random.random() < 0.5  # noqa: S311 - no secret
    rows, closed = SessionRow.live.query(CLOSING, scan_index_forward=from_the_oldest), 0
    while time.monotonic() < until and (page := list(islice(rows, _PAGE))):
        closed += _close_page([recipient_of(row) for row in page], until)
    return closed


def mark_socket_closed(recipient: delivery.Recipient) -> None:
    """Records that the socket of a closed session is closed too, so that the schedule does not try again."""
    _mark([_closed(recipient)])


def _errors(calls: Iterable[delivery.Call]) -> list[str]:
    """The errors of calls, except failed conditions."""
    return [one.error for one in calls if one.answer is None and one.error != delivery.CONDITION_FAILED]


def _check(calls: Iterable[delivery.Call]) -> None:
    """
    Raises:
        DeliveryError: some calls failed.
    """
    if errors := _errors(calls):
        raise delivery.DeliveryError(f"{len(errors)} requests to close connections failed: {errors[0]}")


def _close_page(recipients: Sequence[delivery.Recipient], until: float) -> int:
    with delivery.deadline(until - time.monotonic()):
        report = delivery.close(recipients)
    failed = {failure.connection_id for failure in report.failed}
    longest = MAX_DURATION.total_seconds()
    closed = [one for one in recipients if one.connection_id not in failed or one.age > longest]
    _mark([_closed(one) for one in closed])
    return len(closed)


def _closed(recipient: delivery.Recipient) -> delivery.Call:
    return _marking(recipient, "REMOVE live_shard", "live_shard = :closing", {":closing": {"S": CLOSING}})


def _still_open(recipient: delivery.Recipient) -> delivery.Call:
    """Records that the socket of a closed session may still be open, so that the schedule tries again."""
    values: dict[str, dict[str, object]] = {":closing": {"S": CLOSING}, ":false": {"BOOL": False}}
    return _marking(recipient, "SET live_shard = :closing", "connected = :false", values)


def _marking(
    recipient: delivery.Recipient, update: str, condition: str, values: dict[str, dict[str, object]]
) -> delivery.Call:
    return delivery.Call(
        "UpdateItem",
        {
            "TableName": SessionRow.Meta.table_name,
            "Key": {"connection_id": {"S": recipient.connection_id}},
            "UpdateExpression": update,
            "ConditionExpression": f"{condition} AND connected_at = :generation",
            "ExpressionAttributeValues": {**values, ":generation": {"N": str(recipient.connected_at)}},
        },
    )


def _mark(calls: Sequence[delivery.Call]) -> None:
    delivery.call_all(calls)
    _check(calls)
