"""The pump that is used outside tests: libcurl's multi interface, one thread, kept connections.

libcurl's objects belong to one thread at a time. A run borrows a pump with its connections and gives it back, so that
the next run, in whatever thread, finds them open. After a fork, the child starts without pumps: it has inherited the
parent's sockets, and closing them would end the parent's TLS sessions.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pycurl
from botocore.httpsession import get_cert_path

from ws_lambda import aws, process_state
from ws_lambda.delivery.exchange import Broken, Request, Response, Work
from ws_lambda.delivery.slots import RunSlots, Slots
from ws_lambda.process_state import Occasion

CONNECT_TIMEOUT_MS: Final = 3_000
LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes. DynamoDB's pages are 1 MB. A server that sends without end is cut off."""

_IDLE_PUMPS = 4
_LONGEST_SELECT = 0.05
"""Seconds. It is short because select() ignores descriptors above 1,023, of which a local gateway has thousands."""

_NO_FORM = "Content-Type:"
"""Keeps libcurl from adding the content type of a form to a POST. The request's own content type is sent."""


class _Handle:
    """One easy handle and its request. Options stay from one exchange to the next, so most need not be set again."""

    __slots__ = ("_body", "_length", "_method", "_timeout", "chunks", "curl", "request", "size")

    def __init__(self, ca_bundle: str) -> None:
        self.request: Request | None = None
        self.chunks: list[bytes] = []
        self.size = 0
        self._length = 0
        self._method = ""
        self._body: bytes | None = None
        self._timeout = 0
        self.curl = curl = pycurl.Curl()
        curl.handle = self
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS)
        curl.setopt(pycurl.USERAGENT, "")
        curl.setopt(pycurl.SSL_VERIFYPEER, 1)
        curl.setopt(pycurl.SSL_VERIFYHOST, 2)
        curl.setopt(pycurl.CAINFO, ca_bundle)
        curl.setopt(pycurl.WRITEFUNCTION, self._write)

    def load(self, request: Request) -> None:
        """Sets the handle up for a request."""
        curl = self.curl
        self.request = request
        if request.method != self._method:
            self._set_method(request.method)
        if request.body is not self._body and self._method == "POST":
            curl.setopt(pycurl.POSTFIELDS, request.body)
            self._body = request.body
        timeout = max(1, int(request.timeout * 1000))
        if timeout != self._timeout:
            curl.setopt(pycurl.TIMEOUT_MS, timeout)
            self._timeout = timeout
        curl.setopt(pycurl.URL, request.url)
        lines = [f"{name}: {value}" for name, value in request.headers]
        lines.append(_NO_FORM)
        curl.setopt(pycurl.HTTPHEADER, lines)
        self._length = len(request.url) + len(request.body) + sum(map(len, lines))

    def _set_method(self, method: str) -> None:
        self._method, self._body = method, None
        if method == "POST":
            self.curl.unsetopt(pycurl.CUSTOMREQUEST)
            self.curl.setopt(pycurl.POST, 1)
        else:
            self.curl.setopt(pycurl.HTTPGET, 1)
            self.curl.setopt(pycurl.CUSTOMREQUEST, method)

    def _write(self, chunk: bytes) -> int | None:
        self.size += len(chunk)
        if self.size > LARGEST_ANSWER:
            return 0  # fewer bytes than libcurl gave, which ends the transfer
        self.chunks.append(chunk)
        return None

    def take_body(self) -> bytes:
        if not self.chunks:
            return b""
        body = b"".join(self.chunks)
        self.chunks.clear()
        self.size = 0
        return body

    def sent_twice(self) -> bool:
        """Whether libcurl found a kept connection broken and sent the request again on another.

        It does not say so, even if the server may have acted on the first one. But it counts all bytes that it sends.
        """
        return bool(self.curl.getinfo(pycurl.REQUEST_SIZE) > 1.5 * self._length)


class CurlPump:
    """Makes many exchanges at once over kept connections, in the caller's thread."""

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._kept = 0
        self._idle: list[_Handle] = []
        self._ca_bundle = str(aws.session().get_config_variable("ca_bundle") or get_cert_path(True))

    def run(self, work: Work, slots: Slots) -> None:
        """Runs the work in the caller's thread, until it has no more requests and none is in flight."""
        if slots.limit > self._kept:  # never lowered: reading a roster would close the sender's connections
            self._kept = slots.limit
            self._multi.setopt(pycurl.M_MAXCONNECTS, self._kept)
        run = RunSlots(slots)
        try:
            while True:
                wait = self._fill(work, run)
                if not run.in_flight:
                    if wait is None:
                        return
                    time.sleep(min(wait, _LONGEST_SELECT))  # the work may end, or reach its deadline, before that
                    continue
                self._multi.perform()
                if not self._collect(work, run):
                    self._select(_LONGEST_SELECT if wait is None else min(wait, _LONGEST_SELECT))
        finally:
            if run.in_flight:  # an exception is being raised, and nobody takes the answers of these exchanges
                run.give_all()
                self._abandon()

    def _fill(self, work: Work, run: RunSlots) -> float | None:
        """Starts exchanges. Returns the seconds after which to start more, or None to wait for an answer."""
        while run.take():
            try:
                step = work.next()
            except BaseException:
                run.give()
                raise
            if not isinstance(step, Request):
                run.give()
                return step
            handle = self._idle.pop() if self._idle else _Handle(self._ca_bundle)
            handle.load(step)
            self._multi.add_handle(handle.curl)
        return None

    def _collect(self, work: Work, run: RunSlots) -> int:
        """Passes finished exchanges on to the work. Returns how many there were."""
        _, good, bad = self._multi.info_read(1000)
        for curl in good:
            handle: _Handle = curl.handle
            response = Response(curl.getinfo(pycurl.RESPONSE_CODE), handle.take_body(), repeated=handle.sent_twice())
            self._land(handle, work, run, response)
        for curl, code, message in bad:
            self._land(curl.handle, work, run, _broken(curl, code, message))
        return len(good) + len(bad)

    def _land(self, handle: _Handle, work: Work, run: RunSlots, outcome: Response | Broken) -> None:
        self._multi.remove_handle(handle.curl)
        if handle.chunks:
            handle.take_body()  # of an exchange that broke
        request, handle.request = handle.request, None
        self._idle.append(handle)
        run.give()
        assert request is not None  # noqa: S101 - for the type checker: a handle in flight has one
        work.finished(request, outcome)

    def _select(self, seconds: float) -> None:
        before = time.monotonic()
        ready = self._multi.select(seconds)
        if ready <= 0 and time.monotonic() - before < 0.001:
            time.sleep(0.001)  # select() had nothing to watch: do not spin

    def _abandon(self) -> None:
        self._multi.close()
        self._multi, self._kept = pycurl.CurlMulti(), 0
        self._idle.clear()

    def close(self) -> None:
        """Closes its connections."""
        self._multi.close()
        self._idle.clear()


_lock = process_state.Lock()
_pumps: list[CurlPump] = []
"""All pumps of this process, in use or idle."""

_resting: list[CurlPump] = []


@contextmanager
def borrowed() -> Iterator[CurlPump]:
    """A pump that nobody else uses for the time of a `with` block. Its connections are still open from last time."""
    with _lock:
        if _resting:
            one = _resting.pop()
        else:
            one = CurlPump()
            _pumps.append(one)
    try:
        yield one
    finally:
        with _lock:
            if one in _pumps and len(_resting) < _IDLE_PUMPS:
                _resting.append(one)
            elif one in _pumps:
                _pumps.remove(one)
                one.close()


def forget() -> None:
    """Closes the connections of idle pumps."""
    with _lock:
        while _resting:
            one = _resting.pop()
            _pumps.remove(one)
            one.close()


def _abandon() -> None:
    """In the child of a fork: drops the parent's pumps without ever closing them, not even at exit."""
    if _pumps:
        import ctypes

        for one in _pumps:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))
    _pumps.clear()
    _resting.clear()


process_state.register(forget, Occasion.SNAPSHOT)
process_state.register(_abandon, Occasion.FORK)


def _broken(curl: Any, code: int, message: str) -> Response | Broken:
    """The outcome of an exchange that libcurl reports as failed.

    A final status that has arrived counts, even if the rest was cut off: the server has answered.
    """
    status = int(curl.getinfo(pycurl.RESPONSE_CODE))
    if status >= 200:
        return Response(status, repeated=curl.handle.sent_twice())
    reason = "timed out" if code == pycurl.E_OPERATION_TIMEDOUT else message or f"libcurl error {code}"
    return Broken(reason, ambiguous=curl.getinfo(pycurl.REQUEST_SIZE) > 0)
