"""The interface between the sender and the network: HTTP requests and their answers.

`Work` says what to send and takes what came back; `pumps` has what drives it. A test that wants no network hands
`pumps.using_transport` an object with the one method of `Transport`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol


class Request:
    """One signed HTTP request. It has plain slots, because a broadcast makes one for each recipient."""

    __slots__ = ("body", "context", "headers", "method", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes = b"",
        timeout: float = 10.0,
        context: Any = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        """Seconds until the exchange is abandoned."""
        self.context = context
        """Anything that the work needs in `finished`."""


_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Response:
    """An answer of the server. It has plain slots, like `Request`."""

    __slots__ = ("body", "headers", "repeated", "status")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] = _NO_HEADERS,
        *,
        repeated: bool = False,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        """Only headers that a sender acts on; may be empty."""
        self.repeated = repeated
        """Whether the request was sent twice, because a kept connection broke."""

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"


class Broken(Exception):
    """There was no answer: the connection was refused, timed out or cut, or the answer was not HTTP."""

    def __init__(self, reason: str, *, ambiguous: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ambiguous = ambiguous
        """Whether the server may have acted on the request, because some of it had been sent."""


class Transport(Protocol):
    """One HTTP exchange, for tests: an in-process gateway implements this.

    It may have an attribute `grace_period`: for how many seconds connections that are not open yet are tried again.
    It is 0 where that is no use, because whatever opens them runs in the same thread.
    """

    def exchange(self, request: Request) -> Response:
        """Returns the answer to a request.

        Raises:
            Broken: there was none.
        """
        ...


class Work(Protocol):
    """What a pump carries out. Both methods are called in the thread that called `run`."""

    def next(self) -> Request | float | None:
        """A request to start now, or the seconds until there may be one, or None if none comes before an answer."""
        ...

    def finished(self, request: Request, outcome: Response | Broken) -> None:
        """Takes the outcome of a request."""
        ...


class Together:
    """Two works on one pump, in turn. While one waits for answers, the other continues."""

    def __init__(self, first: Work, second: Work) -> None:
        self._next, self._other = first, second
        self._owners: dict[Request, Work] = {}

    def next(self) -> Request | float | None:
        """See `Work`."""
        waits = []
        for _ in range(2):
            one = self._next
            self._next, self._other = self._other, one
            step = one.next()
            if isinstance(step, Request):
                self._owners[step] = one
                return step
            if step is not None:
                waits.append(step)
        return min(waits, default=None)

    def finished(self, request: Request, outcome: Response | Broken) -> None:
        """See `Work`."""
        self._owners.pop(request).finished(request, outcome)
