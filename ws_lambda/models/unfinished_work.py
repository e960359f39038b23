"""Tasks on many connections that a call has no time to finish, so that the schedule continues them.

Beginning the same task again replaces its row. An earlier run of the task can then neither update nor end it.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from pynamodb.exceptions import DeleteError, UpdateError

from ws_lambda import clock
from ws_lambda.tables.rate_limits import UnfinishedWork
from ws_lambda.tables.shared_connection import condition_failed


def begin(kind: str, about: str, place: Mapping[str, Any] | None = None) -> UnfinishedWork:
    """Records that a task has begun.

    Args:
        place: where to begin; None for the start.
    """
    work = UnfinishedWork.of(kind, about, place or {}, secrets.token_hex(8))
    work.save()
    return work


def everything() -> list[UnfinishedWork]:
    """All tasks that have begun and not ended."""
    rows = UnfinishedWork.query(UnfinishedWork.SCOPE, consistent_read=True)
    return [one for one in rows if one.expires_at > clock.utcnow()]


def leave(work: UnfinishedWork, place: Mapping[str, Any]) -> None:
    """Records where a task was interrupted, unless it has begun again."""
    work.position = json.dumps(place)
    try:
        work.update([UnfinishedWork.position.set(work.position)], condition=_same(work))
    except UpdateError as failed:
        if not condition_failed(failed):
            raise


def end(work: UnfinishedWork) -> None:
    """Records that a task is done, unless it has begun again."""
    try:
        work.delete(condition=_same(work))
    except DeleteError as failed:
        if not condition_failed(failed):
            raise


def _same(work: UnfinishedWork) -> Any:
    return UnfinishedWork.mark == work.mark
