"""Work on many connections that one call has no time to end, so that the schedule goes on with it.

Beginning the same work again replaces its row: whoever is still at it from before neither moves it on nor ends it.
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
    """Notes that a piece of work has begun, from its beginning or from a place."""
    work = UnfinishedWork.of(kind, about, place or {}, secrets.token_hex(8))
    work.save()
    return work


def everything() -> list[UnfinishedWork]:
    """All that is begun and not ended."""
    rows = UnfinishedWork.query(UnfinishedWork.SCOPE, consistent_read=True)
    return [one for one in rows if one.expires_at > clock.utcnow()]


def leave(work: UnfinishedWork, place: Mapping[str, Any]) -> None:
    """Notes where it has been left, unless it has begun anew."""
    work.position = json.dumps(place)
    try:
        work.update([UnfinishedWork.position.set(work.position)], condition=_same(work))
    except UpdateError as failed:
        if not condition_failed(failed):
            raise


def end(work: UnfinishedWork) -> None:
    """Notes that it is done, unless it has begun anew."""
    try:
        work.delete(condition=_same(work))
    except DeleteError as failed:
        if not condition_failed(failed):
            raise


def _same(work: UnfinishedWork) -> Any:
    return UnfinishedWork.mark == work.mark
