"""The retry policy of everything that waits and tries again: attempts, pauses and deadline.

Pauses have full jitter: any length from zero up to a limit that doubles with each attempt. So callers that failed
at the same time do not retry at the same time.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from ws_lambda.deadlines import ends_at

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """A policy. `begin` is for code that sleeps between attempts, `next_at` for code that does other work meanwhile."""

    base: float
    """The longest pause after the first attempt, in seconds. The limit doubles after each further attempt."""

    cap: float = inf
    """The longest pause after any attempt, in seconds."""

    attempts: float = inf
    """The most attempts, including the first."""

    within: float = inf
    """Seconds after the first attempt in which others may begin. The last one begins when they are over."""

    overtime: float = 0.0
    """Seconds after the deadline in which another attempt may begin, for work that must be finished."""

    def pause(self, made: int) -> float:
        """A random pause.

        Args:
            made: how many attempts have been made, 1 or more.

        Returns:
            Seconds.
        """
        return random.uniform(0, min(self.cap, self.base * 2 ** min(made - 1, 30)))  # noqa: S311 - jitter, not a secret

    def next_at(self, made: int, now: float, first_at: float = inf) -> float | None:
        """When to make the next attempt; None if there is none. The deadline is not considered.

        Args:
            made: how many attempts have been made, 1 or more.
            now: the present `time.monotonic()`.
            first_at: the `time.monotonic()` of the first attempt. A policy with `within` needs it.
        """
        ends = first_at + self.within
        if made >= self.attempts or now >= ends:
            return None
        return min(ends, now + self.pause(made))

    def begin(self, deadline: float | None = None) -> "Attempts":
        """Starts to count. Call it at the first attempt.

        Args:
            deadline: a `time.monotonic()`. Default: the invocation's, which other threads do not see, so they pass it.
        """
        return Attempts(self, ends_at() if deadline is None else deadline)

    def call(self, work: Callable[[], Result], *busy: type[Exception]) -> Result:
        """Calls a function until it returns, and returns its result.

        Args:
            work: the function.
            busy: the exceptions that mean "try again". The exception of the last attempt is raised.
        """
        attempts = self.begin()
        while True:
            try:
                return work()
            except busy:
                if not attempts.wait():
                    raise


class Attempts:
    """Counts the attempts at one call, and sleeps between them.

    attempts = POLICY.begin()
    while True:
        try:
            return call()
        except Busy:
            if not attempts.wait():
                raise
    """

    def __init__(self, policy: Retry, deadline: float) -> None:
        self.made = 0
        """How many attempts have failed."""

        self._policy = policy
        self._first_at = time.monotonic()
        self._ends_at = deadline + policy.overtime

    def wait(self) -> bool:
        """Counts a failed attempt, and sleeps until the next one.

        Returns:
            False, without sleeping, if there must be no other attempt: there have been enough, or the next one would
            begin after the deadline.
        """
        self.made += 1
        now = time.monotonic()
        due = self._policy.next_at(self.made, now, self._first_at)
        if due is None or due >= self._ends_at:
            return False
        time.sleep(max(0.0, due - now))
        return True
