"""The gateway's clock: real time, faster time, or time that a test moves."""

import asyncio
import heapq
import itertools
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from ws_lambda import clock
from ws_lambda.local.errors import IntegrationTimedOut

T = TypeVar("T")
Job = Callable[[], Coroutine[Any, Any, None]]


class Clock(Protocol):
    """What the gateway needs of a clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...

    async def limit(self, seconds: float, call: Awaitable[T]) -> T:
        """The result of `call`. Raises IntegrationTimedOut if it takes longer."""
        ...

    def call_later(self, seconds: float, job: Job) -> None:
        """Runs a coroutine after this many seconds; 0 means as soon as the running code has ended."""
        ...


class SystemClock:
    """The machine's clock in an event loop. With `speed` 60, an hour passes in a minute."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._start = clock.now()
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        return self._start + (clock.now() - self._start) * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)

    async def limit(self, seconds: float, call: Awaitable[T]) -> T:
        # Not sped up: the function runs in real time whatever this clock says.
        try:
            async with asyncio.timeout(seconds):
                return await call
        except TimeoutError as slow:
            raise IntegrationTimedOut(f"no answer within {seconds:g} s") from slow

    def call_later(self, seconds: float, job: Job) -> None:
        async def run() -> None:
            if seconds > 0:
                await self.sleep(seconds)
            await job()

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Cancels the coroutines that have not run yet."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class VirtualClock:
    """A clock that stands still until it is moved. Sleeping moves it. For one process without an event loop."""

    def __init__(self, start: float | None = None) -> None:
        self._now = clock.now() if start is None else start
        self._jobs: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._lock = threading.RLock()
        self._local = threading.local()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds

    async def limit(self, seconds: float, call: Awaitable[T]) -> T:
        before = self._now
        result = await call
        if self._now - before > seconds:
            raise IntegrationTimedOut(f"no answer within {seconds:g} s")
        return result

    def call_later(self, seconds: float, job: Job) -> None:
        with self._lock:
            heapq.heappush(self._jobs, (self._now + seconds, next(self._order), job))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine of the gateway to its end, then everything that became due meanwhile."""
        depth = getattr(self._local, "depth", 0)
        self._local.depth = depth + 1
        try:
            result = _finish(work)
        finally:
            self._local.depth = depth
        if depth == 0:
            self._run_due()
        return result

    def advance(self, seconds: float) -> None:
        """Moves the clock on. Everything that becomes due on the way runs at its own time, in order."""
        until = self._now + seconds
        self._run_due(until)
        self._now = max(self._now, until)

    def _run_due(self, until: float | None = None) -> None:
        while (job := self._next_due(self._now if until is None else until)) is not None:
            self.run(job())

    def _next_due(self, until: float) -> Job | None:
        with self._lock:
            if not self._jobs or self._jobs[0][0] > until:
                return None
            when, _order, job = heapq.heappop(self._jobs)
            self._now = max(self._now, when)
            return job


def _finish(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("The gateway waited for something outside itself, which it cannot do with a VirtualClock.")
