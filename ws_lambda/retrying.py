"""How often something is tried again, after what pauses, and until when: one policy for everything that waits.

Pauses have full jitter: any length from nothing up to a limit that doubles with each attempt. So callers that failed
together do not come back together.

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
    """A policy. `begin` serves code that blocks while it waits, `next_at` code that does something else meanwhile."""

    base: float
    """Seconds: the longest pause after the first attempt. The limit doubles after each further one."""

    cap: float = inf
    """Seconds: the longest pause of all."""

    attempts: float = inf
    """How often to try at most, the first time included."""

    within: float = inf
    """Seconds after the first attempt in which another may begin. The last one begins at their end."""

    overtime: float = 0.0
    """Seconds after the deadline of the invocation in which another attempt may begin: for what has to be finished."""

    def pause(self, made: int) -> float:
        """A random pause.

        Args:
            made: how many attempts have been made, 1 or more.

        Returns:
            Seconds.
        """
        return random.uniform(0, min(self.cap, self.base * 2 ** min(made - 1, 30)))  # noqa: S311 - jitter, not a secret

    def next_at(self, made: int, now: float, first_at: float = inf) -> float | None:
        """When to make the next attempt, or None if there is to be none. It does not look at the deadline.

        Args:
            made: how many attempts have been made, 1 or more.
            now: the `time.monotonic()` of now.
            first_at: that of the first attempt; needed for a policy with `within`.
        """
        ends = first_at + self.within
        if made >= self.attempts or now >= ends:
            return None
        return min(ends, now + self.pause(made))

    def begin(self, deadline: float | None = None) -> "Attempts":
        """To be called at the first attempt.

        Args:
            deadline: a `time.monotonic()`, instead of the invocation's: its context does not reach other threads.
        """
        return Attempts(self, ends_at() if deadline is None else deadline)

    def call(self, work: Callable[[], Result], *busy: type[Exception]) -> Result:
        """Calls until there is an answer.

        Args:
            work: what to do.
            busy: the exceptions that mean "try again". That of the last attempt is raised.
        """
        attempts = self.begin()
        while True:
            try:
                return work()
            except busy:
                if not attempts.wait():
                    raise


class Attempts:
    """The attempts at one thing, counted.

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
        """Counts an attempt that failed, and sleeps until the next.

        Returns:
            False, at once, if there is to be no other: there have been enough, or the next one would begin after the
            deadline.
        """
        self.made += 1
        now = time.monotonic()
        due = self._policy.next_at(self.made, now, self._first_at)
        if due is None or due >= self._ends_at:
            return False
        time.sleep(max(0.0, due - now))
        return True
