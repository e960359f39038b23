"""Pumps make the exchanges of a run: with libcurl, or in a test with the transport that replaces it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ws_lambda.delivery.exchange import Broken, Response, Transport, Work
from ws_lambda.delivery.slots import Slots


class Pump(Protocol):
    """Makes the exchanges of a `Work`, many at once."""

    def run(self, work: Work, slots: Slots) -> None:
        """Returns when `work.next()` returns None and nothing is in flight."""
        ...


class Serially:
    """A pump on a `Transport`, one exchange after the other."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run(self, work: Work, slots: Slots) -> None:
        while (step := work.next()) is not None:
            if isinstance(step, float):
                time.sleep(step)
                continue
            try:
                outcome: Response | Broken = self._transport.exchange(step)
            except Broken as broken:
                outcome = broken
            work.finished(step, outcome)


_installed: list[Transport] = []


@contextmanager
def using_transport(transport: Transport) -> Iterator[None]:
    """Replaces libcurl in all threads, for the time of a `with` block: delivery opens no connection of its own.

    Requests to `@connections` go to `transport`. Rosters are read through the process's botocore client, which
    in-process emulators of DynamoDB can intercept.
    """
    _installed.append(transport)
    try:
        yield
    finally:
        _installed.remove(transport)


def installed() -> Transport | None:
    """The transport that replaces libcurl, if any; the innermost of several."""
    return _installed[-1] if _installed else None


@contextmanager
def pump() -> Iterator[Pump]:
    """A pump that nobody else uses, for the time of a `with` block."""
    if (transport := installed()) is not None:
        yield Serially(transport)
        return
    from ws_lambda.delivery import curl  # 26 ms of import that a $connect does not need

    with curl.borrowed() as one:
        yield one
