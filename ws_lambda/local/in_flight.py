"""Lets running requests finish before the worker restarts, as a deployment lets running invocations finish.

A request is in flight from the moment it can be read until the last byte of its answer has been written. That holds for
pages and for the function. A connection without a request is not in flight: browsers keep such connections in reserve.
"""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

GRACE = 30.0
"""Seconds that running requests get: as long as API Gateway waits for the function."""

LOOKS_EVERY = 0.01
"""Seconds between two checks."""


class InFlight:
    """The open connections of a process, and how many of them have a running request."""

    def __init__(self) -> None:
        self._running = 0
        self._quiet: set[socket.socket] = set()
        self._lock = threading.Lock()

    def accepted(self, connection: socket.socket) -> None:
        """Notes a new connection, which its thread has not read from yet."""
        with self._lock:
            self._quiet.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Notes that a connection has ended."""
        with self._lock:
            self._quiet.discard(connection)

    @contextmanager
    def request(self, connection: socket.socket) -> Iterator[None]:
        """A request, for the time of a `with` block. At its beginning, the request is still in the socket."""
        with self._lock:
            self._running += 1
            self._quiet.discard(connection)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._quiet.add(connection)

    def wait(self, seconds: float = GRACE) -> bool:
        """Waits until no request runs. Returns False if one still does. Call it when nothing is accepted any more."""
        deadline = time.monotonic() + seconds
        while not self._idle():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOKS_EVERY)
        return True

    def _idle(self) -> bool:
        with self._lock:
            return not self._running and not any(map(_has_come, self._quiet))


def _has_come(connection: socket.socket) -> bool:
    """Whether the socket has a request that its thread is about to read."""
    if connection.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from socketserver import BaseServer
else:
    BaseHTTPRequestHandler = BaseServer = object


class CountingServer(BaseServer):
    """A mixin for a server with a thread for each connection. Set `in_flight` before it serves."""

    in_flight: InFlight

    def process_request(self, request: Any, client_address: Any) -> None:
        """Notes the connection now, because its thread may start late."""
        self.in_flight.accepted(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Notes the end of a connection."""
        self.in_flight.closed(request)
        super().shutdown_request(request)


class CountedHandler(BaseHTTPRequestHandler):
    """A mixin for the handler of such a server."""

    _read_ahead = False
    """Whether the next request arrived together with the last one, and is no longer in the socket."""

    def handle_one_request(self) -> None:
        """Waits for a request, and counts it until its answer has been written."""
        if not self._read_ahead and not self._comes():
            self.close_connection = True
            return
        in_flight: InFlight = self.server.in_flight  # type: ignore[attr-defined]
        with in_flight.request(self.connection):
            super().handle_one_request()
            self._read_ahead = not self.close_connection and self._has_read_ahead()

    def _comes(self) -> bool:
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _has_read_ahead(self) -> bool:
        self.connection.setblocking(False)
        try:
            return bool(self.rfile.peek(1))  # type: ignore[attr-defined]
        except OSError:
            return False
        finally:
            self.connection.setblocking(True)
