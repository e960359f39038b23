"""Lets what runs finish before the worker restarts, as a deployment does with running invocations.

In flight is a request from the moment it is there to be read until its answer's last byte has been written, for pages
and for the function alike. A connection that nothing has come on is not: browsers keep such ones in store.
"""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

GRACE = 30.0
"""Seconds that running requests get: what API Gateway gives to the function."""

LOOKS_EVERY = 0.01
"""Seconds between two looks at what still runs."""


class InFlight:
    """The open connections of a process, and how many of them have a request running."""

    def __init__(self) -> None:
        self._running = 0
        self._quiet: set[socket.socket] = set()
        self._lock = threading.Lock()

    def accepted(self, connection: socket.socket) -> None:
        """A connection that its thread has not read from yet."""
        with self._lock:
            self._quiet.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """It will have no more requests."""
        with self._lock:
            self._quiet.discard(connection)

    @contextmanager
    def request(self, connection: socket.socket) -> Iterator[None]:
        """A request of the connection, for the time of a `with` block. It is still in the socket at the beginning."""
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
        """Waits until nothing runs; False where something still does. Call it once nothing is accepted any more."""
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
    """Whether a request is in the socket that its thread is about to read."""
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
    """What a server with a thread to a connection needs besides; `in_flight` is to be set before it serves."""

    in_flight: InFlight

    def process_request(self, request: Any, client_address: Any) -> None:
        """Counts from here: the thread may take its time to begin."""
        self.in_flight.accepted(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """The end of a connection."""
        self.in_flight.closed(request)
        super().shutdown_request(request)


class CountedHandler(BaseHTTPRequestHandler):
    """What the handler of such a server needs besides."""

    _read_ahead = False
    """Whether the next request has come together with the last one, and is no longer in the socket."""

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
