"""The grace period of young connections, and which of them have had it.

A connection that answers 410 and is younger than a `$connect` can take is tried again, with growing pauses, for two
seconds. Some of these connections never open, because the client has left or the `$connect` was refused. They are
remembered, so that later sends try them once and do not wait.
"""

from collections import OrderedDict
from typing import Final

from ws_lambda import clock, process_state
from ws_lambda.delivery.outcomes import YOUNG_SECONDS, Recipient
from ws_lambda.process_state import Occasion
from ws_lambda.retrying import Retry

GRACE_SECONDS: Final = 2.0
"""Seconds after the first attempt in which a young connection is tried again. A send takes at most this much longer."""

_REMEMBERED = 10_000
"""Connections. At 500 connects a second, twice as many can be young. One that is forgotten gets the period again."""

_lock = process_state.Lock()
_waited_for: OrderedDict[tuple[str, int], float] = OrderedDict()
"""When each connection, by id and generation, is no longer young."""


def policy(seconds: float = GRACE_SECONDS) -> Retry:
    """How a young connection is tried again, within so many seconds of the first attempt."""
    return Retry(base=0.1, within=seconds)


def next_at(retry: Retry, recipient: Recipient, made: int, now: float, first_at: float) -> float | None:
    """When to try a young connection again; None if it has been waited for long enough, now or before.

    Args:
        made: how many attempts met a connection that was not open yet.
        now: the `time.monotonic()` of now.
        first_at: that of the first attempt.
    """
    if (recipient.connection_id, recipient.connected_at) in _waited_for:
        return None
    return retry.next_at(made, now, first_at)


def remember(recipient: Recipient) -> None:
    """Remembers a connection that did not open within the grace period."""
    now = clock.now()
    with _lock:
        while _waited_for and (len(_waited_for) >= _REMEMBERED or next(iter(_waited_for.values())) < now):
            _waited_for.popitem(last=False)
        _waited_for[recipient.connection_id, recipient.connected_at] = now + YOUNG_SECONDS


def forget() -> None:
    """Forgets who has been waited for."""
    with _lock:
        _waited_for.clear()


process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)
