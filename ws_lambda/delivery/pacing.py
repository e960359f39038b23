"""Limits the rate of requests, with a token bucket, to stay below the account's quota."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ws_lambda import process_state
from ws_lambda.conf import conf
from ws_lambda.process_state import Occasion

_BURST_SECONDS = 0.05
"""The burst, in seconds of the rate. API Gateway's own burst is half a second's worth, for the whole account."""

_SHORTEST_WAIT = 0.002
"""Seconds. Waiting for every single token would make the sender spin."""


class TokenBucket:
    """Allows `rate` requests a second on average, and a twentieth of that at once.

    It is filled by the caller's clock, so a process that was frozen wakes up with a full bucket and no debt.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._capacity = max(1.0, rate * _BURST_SECONDS)
        self._tokens = self._capacity
        self._filled_at = time.monotonic()
        self._lock = threading.Lock()

    def take(self, now: float) -> float:
        """Takes a token. Returns 0.0 if there was one, otherwise the seconds to wait before asking again."""
        with self._lock:
            grown = self._tokens + max(0.0, now - self._filled_at) * self.rate
            self._tokens = min(self._capacity, grown)
            self._filled_at = now
            if self._tokens < 1.0:
                return max(_SHORTEST_WAIT, (1.0 - self._tokens) / self.rate)
            self._tokens -= 1.0
            return 0.0


class Unpaced:
    """No limit: for FANOUT_MAX_RPS = 0."""

    rate = float("inf")

    def take(self, _now: float) -> float:
        """Always 0.0."""
        return 0.0


Pace = TokenBucket | Unpaced
"""How fast requests may follow each other."""


_lock = process_state.Lock()
_shared: Pace = Unpaced()
_shared_for = -1


def worker_pace(workers: int) -> Pace:
    """The pace of one of so many workers that send at the same time: its share of FANOUT_MAX_RPS."""
    return TokenBucket(conf.FANOUT_MAX_RPS / max(1, workers)) if conf.FANOUT_MAX_RPS else Unpaced()


_slowed: ContextVar[TokenBucket | None] = ContextVar("ws_lambda_delivery_pace", default=None)


@contextmanager
def slowed_to(rate: float) -> Iterator[None]:
    """Limits the requests of this thread to `@connections` to this rate a second, for the time of a `with` block."""
    token = _slowed.set(TokenBucket(rate))
    try:
        yield
    finally:
        _slowed.reset(token)


def shared() -> Pace:
    """The pace of this process: all of its threads share FANOUT_MAX_RPS, except those inside `slowed_to`."""
    global _shared, _shared_for
    if (slowed := _slowed.get()) is not None:
        return slowed
    with _lock:
        if _shared_for != conf.FANOUT_MAX_RPS:
            _shared_for = conf.FANOUT_MAX_RPS
            _shared = TokenBucket(_shared_for) if _shared_for else Unpaced()
        return _shared


def forget() -> None:
    """Makes the next bucket a full one."""
    global _shared_for
    with _lock:
        _shared_for = -1


process_state.register(forget, Occasion.TEST, Occasion.RESTORE, Occasion.FORK)
