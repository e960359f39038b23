"""Many requests to DynamoDB at once, as signed JSON: botocore's client takes twenty times as long for each.

A few requests go through botocore in threads, so that nothing has to be loaded or connected for them.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from ws_lambda import aws, deadlines
from ws_lambda.delivery.exchange import Broken, Request, Response
from ws_lambda.delivery.pumps import installed, pump
from ws_lambda.delivery.roster_queries import TIMEOUT, DynamoDBEndpoint
from ws_lambda.delivery.slots import Slots
from ws_lambda.retrying import Retry

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
CANCELLED: Final = "TransactionCanceledException"
CLOSING_SECONDS: Final = 1.0
"""Seconds after a deadline for closing the sessions of connections that are gone. See `deadlines.MARGIN`."""

_FEW, _THREADS = 25, 8
_PARALLEL = 48
_RETRY: Final = Retry(base=0.1, attempts=8, overtime=CLOSING_SECONDS)
_AGAIN = (*aws.THROTTLED, "TransactionConflictException", "TransactionInProgressException", "InternalServerError")


@dataclass(slots=True, eq=False)
class Call:
    """One request to DynamoDB, and its outcome."""

    operation: str
    asked: dict[str, Any]
    answer: dict[str, Any] | None = None
    """DynamoDB's answer; None if it did not carry out the request."""

    error: str = ""
    """Why it did not: DynamoDB's error code, or what happened to the request on the way."""

    item: dict[str, Any] = field(default_factory=dict)
    """The item that made the condition fail, if the request asked for it."""

    reasons: list[dict[str, Any]] = field(default_factory=list)
    """For a cancelled transaction: DynamoDB's `CancellationReasons`, one for each item."""

    then: Callable[["Call"], None] | None = None
    """Called with the call when it has its answer or its error. It may add further calls."""

    tries: int = 0


def call_all(calls: Iterable[Call], *, few: int | None = None) -> None:
    """Makes all calls. Afterwards each has its answer or its error. Ends at most a second after the deadline.

    Args:
        few: from this number on, the calls do not go through botocore. Default: 25. A lower number pays off if each
            call has many items.
    """
    calling = Calls(few)
    for call in calls:
        calling.add(call)
    calling.run()


class Calls:
    """Calls that are being made (see `exchange.Work`)."""

    def __init__(self, few: int | None = None) -> None:
        self._few = _FEW if few is None else few
        self._waiting = deque[Call]()
        self._again: list[tuple[float, Call]] = []
        self._in_flight = 0
        self._endpoint: DynamoDBEndpoint | None = None
        self._deadline = deadlines.ends_at()
        self._ends_at = self._deadline + CLOSING_SECONDS

    def add(self, call: Call) -> None:
        """Adds a call to make."""
        self._waiting.append(call)

    def run(self) -> None:
        """Makes the calls that have not been made yet."""
        self._in_flight = 0  # a run that ended with an exception has left its requests without an answer
        self._waiting.extend(call for _, call in self._again)
        self._again.clear()
        while self._waiting:
            if len(self._waiting) >= self._few and installed() is None:
                with pump() as one:
                    one.run(self, Slots(_PARALLEL))
                return
            few = tuple(self._waiting)
            self._waiting.clear()
            _by_client(few, self._deadline)
            for call in few:
                _tell(call)

    def next(self) -> Request | float | None:
        """See `exchange.Work`."""
        if self._in_flight >= _PARALLEL:
            return None
        now = time.monotonic()
        if now >= self._ends_at:
            self._give_up("out of time")
            return None
        if self._waiting:
            call = self._waiting.popleft()
            call.tries += 1
            try:
                self._endpoint = self._endpoint or DynamoDBEndpoint()
                request = self._endpoint.request(call.asked, min(TIMEOUT, self._ends_at - now), call, call.operation)
            except (BotoCoreError, ClientError) as failed:  # there are no credentials to sign with
                self._waiting.append(call)
                self._give_up(str(failed))
                return None
            self._in_flight += 1
            return request
        if not self._again:
            return None
        due = min(due for due, _ in self._again)
        if due > now:
            return due - now
        self._waiting.extend(call for due, call in self._again if due <= now)
        self._again = [(due, call) for due, call in self._again if due > now]
        return 0.0

    def _give_up(self, reason: str) -> None:
        while self._waiting or self._again:  # a callback may add further calls
            given_up = (*self._waiting, *(call for _, call in self._again))
            self._waiting.clear()
            self._again.clear()
            for call in given_up:
                call.error = reason
                _tell(call)

    def finished(self, request: Request, outcome: Response | Broken) -> None:
        """See `exchange.Work`."""
        self._in_flight -= 1
        call: Call = request.context
        again = False
        if isinstance(outcome, Broken):
            call.error, again = outcome.reason, True
        else:
            self._read(call, outcome)
            again = outcome.status >= 500 or call.error in _AGAIN
        if call.answer is not None and (left := call.answer.get("UnprocessedItems")):
            call.asked, call.answer, call.error, again = {"RequestItems": left}, None, "DynamoDB is too busy", True
        if again and (due := _RETRY.next_at(call.tries, time.monotonic())) is not None:
            self._again.append((due, call))
        else:
            _tell(call)

    def _read(self, call: Call, response: Response) -> None:
        try:
            answer = json.loads(response.body)
            if response.status == 200:
                call.answer, call.error = answer, ""
            else:
                call.error = str(answer["__type"]).rpartition("#")[2]
                call.item = answer.get("Item") or {}
                call.reasons = answer.get("CancellationReasons") or []
        except (ValueError, KeyError, TypeError):
            call.error = f"status {response.status}"


def _tell(call: Call) -> None:
    if call.then is not None:
        call.then(call)


def _by_client(calls: Sequence[Call], deadline: float) -> None:
    client = aws.client("dynamodb")
    with ThreadPoolExecutor(min(_THREADS, len(calls)), "ws-calls") as pool:
        list(pool.map(lambda call: _one_by_client(client, call, deadline), calls))


def _one_by_client(client: Any, call: Call, deadline: float) -> None:
    """Makes one attempt even if there is no time left."""
    attempts = _RETRY.begin(deadline)
    while True:
        try:
            answer = getattr(client, xform_name(call.operation))(**call.asked)
        except ClientError as refused:
            call.error = refused.response["Error"]["Code"]
            response: dict[str, Any] = dict(refused.response)
            call.item = response.get("Item") or {}
            call.reasons = response.get("CancellationReasons") or []
            if call.error not in _AGAIN:
                return
        except BotoCoreError as broken:
            call.error = str(broken)
            return
        else:
            left = answer.get("UnprocessedItems")
            if not left:
                call.answer, call.error = answer, ""
                return
            call.asked, call.error = {"RequestItems": left}, "DynamoDB is too busy"
        if not attempts.wait():
            return
