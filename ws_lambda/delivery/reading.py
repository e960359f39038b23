"""Reads parts of a roster, several at once and at most a few pages ahead of the sender."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ws_lambda import aws, deadlines
from ws_lambda.delivery.exchange import Broken, Request, Response
from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.delivery.outcomes import Recipient
from ws_lambda.delivery.pumps import pump
from ws_lambda.delivery.roster_queries import TIMEOUT, DynamoDBEndpoint, query, recipients_in
from ws_lambda.delivery.slots import Slots
from ws_lambda.exceptions import DeliveryError
from ws_lambda.retrying import Retry

PAGE: Final = 1_000
"""Recipients in a page: about 200 kB on the wire, a millisecond or two to parse."""

_AHEAD = 4
"""Pages that are read ahead. More would only cost memory."""

_RETRY: Final = Retry(base=0.1, attempts=9)


@dataclass(slots=True)
class _Cursor:
    """A part, and how its next page is to be read."""

    part: KeyRange
    tries: int = 0
    due: float = 0.0


class Reading:
    """The work of reading parts page by page (see `exchange.Work`). The pages are in `pages`.

    Each part is read in order. There is no order between parts.
    """

    def __init__(
        self,
        parts: Iterable[KeyRange],
        *,
        one_page: bool = False,
        ahead: int = _AHEAD,
        limit: int = 0,
        backwards: bool = False,
    ) -> None:
        self.pages: deque[list[Recipient]] = deque()
        self.rest: list[KeyRange] = []
        """With `one_page`: the rest of the parts that have more pages."""

        self.stopped = False
        self._one_page = one_page
        self._ahead = ahead
        self._limit = limit or PAGE
        self._backwards = backwards
        self._ready = deque(_Cursor(part) for part in parts)
        self._in_flight = 0
        self._endpoint = DynamoDBEndpoint()
        self._endpoints: dict[str, str] = {}
        self._ends_at = deadlines.ends_at()

    def next(self) -> Request | float | None:
        now = time.monotonic()
        if self.stopped or now >= self._ends_at or not self._ready:
            return None
        if len(self.pages) + self._in_flight >= self._ahead:
            return 0.002
        self._ready = deque(sorted(self._ready, key=lambda one: one.due))
        if (wait := self._ready[0].due - now) > 0:
            return wait
        cursor = self._ready.popleft()
        self._in_flight += 1
        asked = query(cursor.part, self._limit, backwards=self._backwards)
        return self._endpoint.request(asked, min(TIMEOUT, self._ends_at - now), cursor)

    def finished(self, request: Request, outcome: Response | Broken) -> None:
        self._in_flight -= 1
        cursor: _Cursor = request.context
        answer = self._answer(outcome, cursor)
        if answer is None:
            self._ready.append(cursor)
            return
        page = recipients_in(answer, self._endpoints)
        if page:
            self.pages.append(page)
        if "LastEvaluatedKey" in answer:
            part = cursor.part.resumed(page[-1])
            if self._one_page:
                self.rest.append(part)
            else:
                self._ready.append(_Cursor(part))

    def check_end(self) -> None:
        """Checks, after the run, that everything was read.

        Raises:
            DeliveryError: the deadline came first. The recipients that were read are not all.
        """
        if self._ready and not self.stopped:
            raise DeliveryError("The roster could not be read to its end before the deadline")

    def _answer(self, outcome: Response | Broken, cursor: _Cursor) -> dict[str, Any] | None:
        """The parsed answer, or None if a later attempt may help: the cursor then says when.

        Raises:
            DeliveryError: DynamoDB refused the request, or there have been enough attempts.
        """
        if isinstance(outcome, Broken):
            reason = outcome.reason
        elif outcome.status == 200:
            try:
                return dict(json.loads(outcome.body))
            except ValueError:
                reason = "an answer cut short"
        else:
            reason = _error_in(outcome)
            if outcome.status < 500 and reason.partition(":")[0] not in aws.THROTTLED:
                advice = f" {aws.NO_TABLE_ADVICE}" if reason.startswith(aws.NO_TABLE) else ""
                raise DeliveryError(f"The roster could not be read: {reason}{advice}")
        cursor.tries += 1
        due = _RETRY.next_at(cursor.tries, time.monotonic())
        if due is None:
            raise DeliveryError(f"The roster could not be read: {reason}, after {cursor.tries} attempts")
        cursor.due = due
        return None


def _error_in(response: Response) -> str:
    try:
        answer = json.loads(response.body)
        kind = str(answer.get("__type", "")).rpartition("#")[2]
        return f"{kind}: {answer.get('message') or answer.get('Message') or ''}"
    except (ValueError, AttributeError):
        return f"status {response.status}"


class _Reader(threading.Thread):
    """Reads ahead while the caller sends."""

    def __init__(self, reading: Reading, parallel: int) -> None:
        super().__init__(name="ws-roster", daemon=True)
        self.error: Exception | None = None
        self._reading = reading
        self._slots = Slots(parallel)

    def run(self) -> None:
        try:
            with pump() as one:
                one.run(self._reading, self._slots)
            self._reading.check_end()
        except Exception as error:
            self.error = error


def first_pages(parts: list[KeyRange], limit: int = 0) -> tuple[list[list[Recipient]], list[KeyRange]]:
    """Reads the first page of each part in the caller's thread. Returns the pages, and the rest of longer parts."""
    reading = Reading(parts, one_page=True, ahead=len(parts), limit=limit)
    with pump() as one:
        one.run(reading, Slots(len(parts)))
    reading.check_end()
    return list(reading.pages), reading.rest


def last_of(whole: KeyRange) -> Recipient | None:
    """The last recipient in a partition, or None if it is empty."""
    reading = Reading([whole], one_page=True, limit=1, backwards=True)
    with pump() as one:
        one.run(reading, Slots(1))
    reading.check_end()
    return reading.pages[0][0] if reading.pages else None


def stream(parts: list[KeyRange]) -> Iterator[Recipient | None]:
    """Everyone in these parts, read ahead by a thread. None means that the next page has not arrived yet.

    Raises:
        DeliveryError: a part could not be read, or not in time. The recipients read before have been yielded.
    """
    reading = Reading(parts)
    reader = _Reader(reading, len(parts))
    reader.start()
    try:
        while True:
            done = not reader.is_alive()
            while reading.pages:
                yield from reading.pages.popleft()
            if done:
                break
            yield None
        if reader.error is not None:
            raise reader.error
    finally:
        reading.stopped = True
        reader.join()
