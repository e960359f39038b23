"""Disconnecting many connections page by page. What a call has no time for is left to the schedule."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from ws_lambda import clock, delivery
from ws_lambda.deadlines import ends_at
from ws_lambda.models import unfinished_work
from ws_lambda.models.batch_closing import close_all
from ws_lambda.models.sockets import SocketCloser, close_sockets
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.rate_limits import UnfinishedWork

KIND: Final = "disconnect"
"""The kind of unfinished work."""

PAGE = 500
"""How many connections are closed before the time is checked again."""

GRACE = 2.0
"""Seconds before the deadline that are reserved for a page that has begun."""

Progress = Callable[[delivery.DeliveryReport], object]
"""Called after every page with the report so far."""


def disconnect(
    lookups: Mapping[str, Any], recipients: Iterable[delivery.Recipient], progress: Progress | None = None
) -> delivery.DeliveryReport:
    """Closes the sessions of a selection, then their sockets.

    If the deadline comes first, the report is `unread`. After that, or after an error, the schedule closes the rest:
    the connections that were open when this was called.

    Args:
        lookups: the arguments of `WebSocketSession.objects.filter` that find the selection again.
        recipients: the selection itself.

    Raises:
        DeliveryError: some sessions could not be closed.
    """
    about, place = json.dumps(dict(lookups), sort_keys=True), {"until": milliseconds(clock.utcnow())}
    try:
        report = _by_pages(recipients, ends_at() - GRACE, progress)
    except Exception:
        unfinished_work.begin(KIND, about, place)
        raise
    if report.unread:
        unfinished_work.begin(KIND, about, place)
    return report


def lookups_of(work: UnfinishedWork) -> Mapping[str, Any]:
    """The arguments of `WebSocketSession.objects.filter` that find the selection of an unfinished disconnect."""
    lookups: dict[str, Any] = json.loads(work.about)
    return lookups


def go_on(
    work: UnfinishedWork, recipients: Iterable[delivery.Recipient], *, seconds: float = float("inf")
) -> delivery.DeliveryReport:
    """Continues an unfinished disconnect for so many seconds. At least one page is done.

    Args:
        recipients: the selection that `lookups_of` the work finds.
    """
    until = int(work.place.get("until", 0))
    left = (one for one in recipients if one.connected_at <= until)
    ends = min(time.monotonic() + seconds, ends_at() - GRACE)
    with delivery.deadline(ends + GRACE - time.monotonic()):
        report = _by_pages(left, ends)
    if not report.unread:
        unfinished_work.end(work)
    return report


def close_and_disconnect(recipients: Iterable[delivery.Recipient]) -> delivery.DeliveryReport:
    """Closes sessions, so that no more messages are accepted from them, and then their sockets.

    If a socket cannot be closed now, because it is not open yet or the request failed, `close_remaining_sockets`
    closes it later. A connection whose own `$connect` is running in this invocation counts as closed: its connect is
    refused.
    """
    listed = list(recipients)
    try:
        close_all(listed)
    finally:  # even if some sessions could not be closed, the others' sockets must not stay open
        report = close_sockets(listed)
    return report


def disconnect_all(recipients: Sequence[delivery.Recipient]) -> int:
    """Like `close_and_disconnect`, but returns how many sessions were still open."""
    try:
        return close_all(recipients)
    finally:
        close_sockets(recipients)


def _by_pages(
    recipients: Iterable[delivery.Recipient], ends: float, progress: Progress | None = None
) -> delivery.DeliveryReport:
    source, report = iter(recipients), delivery.DeliveryReport()

    def add(more: delivery.DeliveryReport) -> None:
        nonlocal report
        report += more
        if progress is not None:
            progress(report)

    began, late = time.monotonic(), False
    page = list(islice(source, PAGE))
    with SocketCloser(add) as sockets:
        while page and not late:
            following = list(islice(source, PAGE))
            try:
                close_all(page)
            except delivery.DeliveryError:
                if not (late := time.monotonic() >= ends):
                    raise
            finally:  # even if some sessions could not be closed, the others' sockets must not stay open
                sockets.begin(page, more=bool(following))
            page = following
            late = late or bool(page and time.monotonic() >= ends)
    return replace(report, unread=late, seconds=time.monotonic() - began)
