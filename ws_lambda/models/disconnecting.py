"""Disconnecting a whole selection: page by page, and by the schedule where the time is up."""

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
"""Of the work that is noted as unfinished."""

PAGE = 500
"""Connections between two glances at the clock."""

GRACE = 2.0
"""Seconds before a deadline that are kept for a page which has been begun."""

Progress = Callable[[delivery.DeliveryReport], object]
"""Told, after every page, what has come of all so far."""


def disconnect(
    lookups: Mapping[str, Any], recipients: Iterable[delivery.Recipient], progress: Progress | None = None
) -> delivery.DeliveryReport:
    """Closes the sessions of a selection, then their sockets.

    Where a deadline comes first, the report is `unread`. What is left then, or after an error, is the schedule's: those
    that were connected when this was called.

    Args:
        lookups: by which `WebSocketSession.objects.filter` finds the selection again.
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
    """By what `WebSocketSession.objects.filter` finds the selection that has not been disconnected whole."""
    lookups: dict[str, Any] = json.loads(work.about)
    return lookups


def go_on(
    work: UnfinishedWork, recipients: Iterable[delivery.Recipient], *, seconds: float = float("inf")
) -> delivery.DeliveryReport:
    """Does what is left of it, as far as there is time. One page is done however little that is.

    Args:
        recipients: the selection by `lookups_of` the work.
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
    """Closes sessions first, so that nothing more is accepted from them, then their sockets.

    A socket that cannot be closed now, since it is not open yet or the request failed, is left to
    `close_remaining_sockets`. That of a connection whose own `$connect` is running in this invocation counts as
    closed: its connect is refused.
    """
    listed = list(recipients)
    try:
        close_all(listed)
    finally:  # of those whose sessions are closed, no socket is to stay because others are not
        report = close_sockets(listed)
    return report


def disconnect_all(recipients: Sequence[delivery.Recipient]) -> int:
    """Does what `close_and_disconnect` does; how many sessions were still open."""
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
            finally:  # of those whose sessions are closed, no socket is to stay because others are not
                sockets.begin(page, more=bool(following))
            page = following
            late = late or bool(page and time.monotonic() >= ends)
    return replace(report, unread=late, seconds=time.monotonic() - began)
