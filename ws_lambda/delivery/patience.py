"""How long a young connection is waited for, and which ones have been waited for long enough.

A 410 of a connection that is younger than `$connect` can take is tried again, with growing pauses, for two seconds.
Some of those will never open: their client has left, or their `$connect` was refused. They are remembered, so that
later sends ask once and do not wait.
"""

import random
from collections import OrderedDict
from typing import Final

from ws_lambda import clock, process_state
from ws_lambda.delivery.outcomes import YOUNG_SECONDS, Recipient
from ws_lambda.process_state import Occasion

PATIENCE: Final = 2.0
"""Seconds after the first attempt in which a young connection is tried again. That is all a sender is held up by it."""

_FIRST_PAUSE = 0.05
_REMEMBERED = 10_000
"""Connections. Twice as many can be young at once, at 500 connects a second; who is forgotten is waited for again."""

_lock = process_state.Lock()
_waited_for: OrderedDict[tuple[str, int], float] = OrderedDict()
"""Connection id and generation → when it is no longer young."""


def next_try(recipient: Recipient, tries: int, first_at: float, now: float, patience: float = PATIENCE) -> float | None:
    """When to try a young connection again, or None when it has been waited for long enough.

    Args:
        tries: attempts so far.
        first_at, now: by the monotonic clock.
        patience: seconds after the first attempt.
    """
    ends = first_at + patience
    if now >= ends or (recipient.connection_id, recipient.connected_at) in _waited_for:
        return None
    pause = _FIRST_PAUSE * 2 ** (tries - 1)
    return min(ends, now + random.uniform(pause / 2, pause * 1.5))  # noqa: S311 - jitter, not a secret


def exhausted(recipient: Recipient) -> None:
    """Notes that a connection has been waited for in vain."""
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
