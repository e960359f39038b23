"""One request to each of many recipients: each has its own retries, and exactly one outcome."""

import heapq
import logging
import time
from collections.abc import Generator, Iterable, Sequence
from typing import Final

from ws_lambda.deadlines import ends_at
from ws_lambda.delivery import grace_period
from ws_lambda.delivery.connecting import under_way
from ws_lambda.delivery.connection_requests import ConnectionRequests
from ws_lambda.delivery.exchange import Broken, Request, Response, Together, Work
from ws_lambda.delivery.outcomes import Failure, Recipient
from ws_lambda.delivery.pacing import Pace
from ws_lambda.delivery.progress import Attempt, OnProgress, Progress
from ws_lambda.delivery.pumps import installed, pump
from ws_lambda.delivery.slots import Slots
from ws_lambda.retrying import Retry

logger = logging.getLogger("ws_lambda.delivery")

TIMEOUT: Final = 5.0
"""Seconds for one attempt. `@connections` answers within tens of milliseconds."""

RETRY: Final = Retry(base=0.2, cap=5.0, attempts=6, within=15.0)
"""For one recipient. A recipient that hangs is tried three times in these 15 seconds."""

_MOST_WAITING = 1_000
"""Recipients that wait for a retry. When there are this many, no new ones are taken."""

_MOST_UNOPENED = 2_000
"""Recipients that wait because they are not open yet: as many as connect in four seconds at API Gateway's quota. When
there are this many, the next one is left at once, so that the others are not held up."""

PROGRESS_EVERY: Final = 500
"""Outcomes between two calls of `progress`."""

PROGRESS_SECONDS: Final = 5.0

_NOT_YET = 0.005
"""Seconds until a roster is asked again that had nothing ready."""


class Dispatch:
    """The work of sending one request to each of many recipients.

    A recipient that waits for its next attempt does not hold up the others. Subclasses say in `settle` what an answer
    means.
    """

    def __init__(
        self,
        api: ConnectionRequests,
        recipients: Iterable[Recipient | None],
        pace: Pace,
        on_progress: OnProgress | None = None,
        resumable: bool = False,
        waits_for_opening: bool = True,
    ) -> None:
        """
        Args:
            recipients: None among them means "not yet": the roster is still being read.
            on_progress: see `progress.OnProgress`.
            resumable: whether those without an outcome at the deadline stay `pending`, for a later dispatch, instead
                of being failed.
            waits_for_opening: whether connections that are not open yet are tried again.
        """
        self.progress = Progress()
        self._api = api
        self._source = iter(recipients)
        self._listed = isinstance(recipients, Sequence)
        self._exhausted = False
        self._pace = pace
        self._retries: list[tuple[float, Attempt]] = []
        self._unopened: list[tuple[float, Attempt]] = []
        self._connecting = under_way()
        seconds = getattr(installed(), "grace_period", grace_period.GRACE_SECONDS) if waits_for_opening else 0.0
        self._opening = grace_period.policy(seconds)
        self._held: Attempt | None = None
        self._ends_at = ends_at()
        self._on_progress = on_progress
        self._resumable = resumable
        self._tick_at = time.monotonic() + PROGRESS_SECONDS

    def run(self, slots: Slots, beside: Work | None = None) -> Progress:
        """Sends to all of them. Returns the progress when each has an outcome, or at the deadline.

        Args:
            beside: other work for the same pump. It has also ended when this returns.

        Raises:
            Exception: the source raised it before the first recipient. A roster raises a DeliveryError. A later
                exception is logged, and `unread` is set: the outcomes so far must not be lost.
        """
        try:
            with pump() as one:
                one.run(Together(self, beside) if beside else self, slots)
        finally:
            if isinstance(self._source, Generator):
                self._source.close()  # stops the thread that reads ahead
        self.progress.over = True
        self._report(time.monotonic())
        if self.progress.source_error is not None:
            if self.progress.last is None:
                raise self.progress.source_error
            error = self.progress.source_error
            logger.error("The roster was read only in part: %s", error, exc_info=error)
        return self.progress

    def settle(self, attempt: Attempt, response: Response) -> bool:
        """Notes an answer that is an outcome. Returns False for any other, such as the 410 of a young connection."""
        raise NotImplementedError

    def next(self) -> Request | float | None:
        """See `exchange.Work`."""
        while True:
            now = time.monotonic()
            if now >= self._tick_at:
                self._report(now)
            if now >= self._ends_at:
                self._give_up()
                return None
            attempt = self._held or self._pick(now)
            if not isinstance(attempt, Attempt):
                return attempt
            if wait := self._pace.take(now):
                self._held = attempt
                return wait
            self._held = None
            if self._connecting and attempt.recipient.connection_id in self._connecting:
                self._leave_unopened(attempt)
                continue
            attempt.tries += 1
            try:
                timeout = TIMEOUT if self._ends_at - now > TIMEOUT else self._ends_at - now
                return self._api.request(attempt.recipient, timeout, attempt)
            except ValueError as wrong:
                self._fail(attempt, str(wrong))

    def _pick(self, now: float) -> Attempt | float | None:
        """The next attempt, or the seconds to wait for it, or None at the end."""
        retries, unopened = self._retries, self._unopened
        if retries and retries[0][0] <= now:
            return heapq.heappop(retries)[1]
        if unopened and unopened[0][0] <= now:
            return heapq.heappop(unopened)[1]
        if not self._exhausted and len(retries) < _MOST_WAITING:
            recipient = self._take()
            if recipient is not None:
                attempt = Attempt(recipient, now)
                self.progress.attempts.add(attempt)
                return attempt
            if not self._exhausted:
                return _NOT_YET
        due = [heap[0][0] for heap in (retries, unopened) if heap]
        return min(due) - now if due else None

    def _take(self) -> Recipient | None:
        """The next recipient, or None if there is none now, or none at all."""
        try:
            for recipient in self._source:
                if recipient is not None:
                    self.progress.last = recipient
                    self.progress.taken += 1
                return recipient
        except Exception as error:
            self.progress.source_error = error
            self.progress.unread = True
        self._exhausted = True
        return None

    def finished(self, request: Request, outcome: Response | Broken) -> None:
        """See `exchange.Work`."""
        attempt: Attempt = request.context
        if isinstance(outcome, Response):
            attempt.ambiguous |= outcome.repeated
            if self.settle(attempt, outcome):
                self._done(attempt)
                return
            if outcome.status == 410:
                self._not_yet(attempt)
                return
            reason = f"status {outcome.status}"
            if outcome.status != 429 and outcome.status < 500:
                self._fail(attempt, reason)
                return
            attempt.ambiguous |= outcome.status != 429
        else:
            reason = outcome.reason
            attempt.ambiguous |= outcome.ambiguous
        self._again(attempt, reason)

    def _again(self, attempt: Attempt, reason: str) -> None:
        now = time.monotonic()
        due = RETRY.next_at(attempt.tries, now, attempt.first_at)
        if due is None:
            self._fail(attempt, f"{reason}, after {attempt.tries} attempts")
        elif due >= self._ends_at:
            self._late(attempt, f"{reason}, and no time for another attempt")
        else:
            self.progress.retried += 1
            heapq.heappush(self._retries, (due, attempt))

    def _not_yet(self, attempt: Attempt) -> None:
        """Handles the 410 of a young connection: its `$connect` has not returned, or its client has left."""
        now = time.monotonic()
        attempt.unopened += 1
        due = grace_period.next_at(self._opening, attempt.recipient, attempt.unopened, now, attempt.first_at)
        if due is None and self._opening.within:  # connections that are only inspected are not waited for
            grace_period.remember(attempt.recipient)
        if due is None or due >= self._ends_at or len(self._unopened) >= _MOST_UNOPENED:
            self._leave_unopened(attempt)
            return
        self.progress.retried += 1
        heapq.heappush(self._unopened, (due, attempt))

    def _leave_unopened(self, attempt: Attempt) -> None:
        self.progress.not_open.append(attempt.recipient)
        self._done(attempt)

    def _fail(self, attempt: Attempt, reason: str) -> None:
        self.progress.failed.append(
            Failure(connection_id=attempt.recipient.connection_id, reason=reason, ambiguous=attempt.ambiguous)
        )
        self._done(attempt)

    def _done(self, attempt: Attempt) -> None:
        self.progress.attempts.discard(attempt)
        self.progress.settled += 1
        if self.progress.settled % PROGRESS_EVERY == 0:
            self._report(time.monotonic())

    def _report(self, now: float) -> None:
        self._tick_at = now + PROGRESS_SECONDS
        if self._on_progress:
            self._on_progress(self.progress)

    def _late(self, attempt: Attempt, reason: str) -> None:
        if not self._resumable:
            self._fail(attempt, reason)

    def _give_up(self) -> None:
        """At the deadline: recipients without an outcome have failed, or are left for a later dispatch."""
        waiting = [attempt for _, attempt in self._retries] + ([self._held] if self._held else [])
        for _, attempt in self._unopened:
            self._leave_unopened(attempt)
        self._retries, self._unopened, self._held = [], [], None
        for attempt in waiting:
            self._late(attempt, "out of time")
        if self._exhausted:
            return
        self._exhausted = True
        if self._listed and not self._resumable:
            for recipient in self._source:
                if recipient is not None:
                    self._fail(Attempt(recipient, 0.0), "out of time")
        else:
            self.progress.unread = True
