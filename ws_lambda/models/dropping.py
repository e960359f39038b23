"""Closing the sockets of sessions that are closed already, now or when the schedule comes round to it."""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from ws_lambda import delivery
from ws_lambda.models.sessions import CLOSING, MAX_DURATION, WebSocketSession

_PAGE = 100


def drop(recipients: Sequence[delivery.Recipient]) -> delivery.DeliveryReport:
    """Closes the sockets of sessions that are closed. One that cannot be closed now is left to `drop_again`.

    That of a connection whose own `$connect` is running in this invocation counts as closed: its connect is refused.
    """
    connecting = delivery.under_way()
    for one in recipients:
        if one.connection_id in connecting:
            connecting[one.connection_id].disconnected = True
    others = [one for one in recipients if one.connection_id not in connecting]
    report = delivery.close(others)
    failed = {failure.connection_id for failure in report.failed}
    _mark(
        [_undropped(one) for one in others if one.connection_id in failed]
        + [_dropped(one) for one in others if one.connection_id not in failed and one.is_young]
    )
    return replace(report, sent=report.sent + len(recipients) - len(others))


def drop_again(until: float = float("inf")) -> int:
    """Closes the sockets of closed sessions in the partition `CLOSING`; how many of them need no further try.

    One is through with when its socket is closed, or is gone and would have opened by now, or has reached the age at
    which API Gateway closes every connection. Each is tried once. A run begins with the oldest or with the newest, as
    it happens: sockets that keep failing for as long as there is time do not hold up those at the other end.

    Args:
        until: the `time.monotonic()` after which no more are begun, and none is tried again.
    """
    from_the_oldest = random.random() < 0.5  # noqa: S311 - no secret
    rows, dropped = WebSocketSession.live.query(CLOSING, scan_index_forward=from_the_oldest), 0
    while time.monotonic() < until and (page := list(islice(rows, _PAGE))):
        dropped += _drop_page([row.recipient for row in page], until)
    return dropped


def mark_dropped(recipient: delivery.Recipient) -> None:
    """Notes that the socket of a closed session is closed as well: the schedule need not try again."""
    _mark([_dropped(recipient)])


def _check(calls: Iterable[delivery.Call]) -> None:
    """Whether all were done, or need not be since the row is not as they demand.

    Raises:
        DeliveryError: some were not.
    """
    errors = [one.error for one in calls if one.answer is None and one.error != delivery.CONDITION_FAILED]
    if errors:
        raise delivery.DeliveryError(f"{len(errors)} requests to close connections failed: {errors[0]}")


def _drop_page(recipients: Sequence[delivery.Recipient], until: float) -> int:
    with delivery.deadline(until - time.monotonic()):
        report = delivery.close(recipients)
    failed = {failure.connection_id for failure in report.failed}
    longest = MAX_DURATION.total_seconds()
    dropped = [one for one in recipients if one.connection_id not in failed or one.age > longest]
    _mark([_dropped(one) for one in dropped])
    return len(dropped)


def _dropped(recipient: delivery.Recipient) -> delivery.Call:
    return _marking(recipient, "REMOVE live_shard", "live_shard = :closing", {":closing": {"S": CLOSING}})


def _undropped(recipient: delivery.Recipient) -> delivery.Call:
    """The session is closed and its socket may not be: the schedule tries again."""
    values: dict[str, dict[str, object]] = {":closing": {"S": CLOSING}, ":false": {"BOOL": False}}
    return _marking(recipient, "SET live_shard = :closing", "connected = :false", values)


def _marking(
    recipient: delivery.Recipient, update: str, condition: str, values: dict[str, dict[str, object]]
) -> delivery.Call:
    return delivery.Call(
        "UpdateItem",
        {
            "TableName": WebSocketSession.Meta.table_name,
            "Key": {"connection_id": {"S": recipient.connection_id}},
            "UpdateExpression": update,
            "ConditionExpression": f"{condition} AND connected_at = :generation",
            "ExpressionAttributeValues": {**values, ":generation": {"N": str(recipient.connected_at)}},
        },
    )


def _mark(calls: Sequence[delivery.Call]) -> None:
    delivery.call_all(calls)
    _check(calls)
