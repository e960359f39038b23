"""A server for the sender: `@connections` on loopback, which answers as a test tells it, including faults."""

import asyncio
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

Answer = str | int
"""A status, or one of "hang", "cut" (no answer, the connection closed), "garbage" (not HTTP), "half" (200, cut short),
"late" (200 after a moment)."""


class FarSide:
    """The requests that arrived, and the answer to each.

    `behave` is called with the connection id and how many requests for it came before; it decides the answer.
    """

    def __init__(self, behave: Callable[[str, int], Answer] = lambda _id, _before: 200) -> None:
        self.behave = behave
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        """Method, raw path, headers by lower-case name, body; of every request, in order."""

        self.asked: Counter[str] = Counter()
        """Connection id → requests."""

        self.delivered: Counter[str] = Counter()
        """Connection id → requests that arrived, with or without an answer."""

        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.connections = 0
        """TCP connections accepted so far."""

        self.most_open = 0
        self.in_flight = 0
        self.most_in_flight = 0
        """Requests answered "late" at one time."""

        self.transports: set[Any] = set()
        self.port = 0
        self.hanging: list[Any] = []
        """Transports of connections that a request hangs on."""

    def release(self) -> None:
        """Cuts the connections that hang. Call it only from `behave`, which runs in the server's thread."""
        for transport in self.hanging:
            transport.abort()
        self.hanging.clear()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/production"

    @contextmanager
    def serving(self) -> Iterator["FarSide"]:
        """Serves from a thread until the block ends."""
        loop = asyncio.new_event_loop()
        ready = threading.Event()
        stop = asyncio.Event()

        async def serve() -> None:
            server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=1024)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()
            server.close()
            for transport in list(self.transports):
                transport.abort()
            while self.transports:
                await asyncio.sleep(0)

        def main() -> None:
            loop.run_until_complete(serve())
            loop.close()

        thread = threading.Thread(target=main, name="far-side")
        thread.start()
        ready.wait()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()


class _Connection(asyncio.Protocol):
    def __init__(self, side: FarSide) -> None:
        self.side = side
        self.buffer = b""
        self.hanging = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.side.connections += 1
        self.side.transports.add(transport)
        self.side.most_open = max(self.side.most_open, len(self.side.transports))

    def connection_lost(self, _error: Exception | None) -> None:
        self.side.transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while not self.hanging:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, path, _ = first.split(" ", 2)
            self.take(method, path, headers, rest[:length])

    def take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        side = self.side
        connection_id = unquote(path.rpartition("/")[2])
        answer = side.behave(connection_id, side.asked[connection_id])
        side.asked[connection_id] += 1
        side.requests.append((method, path, headers, body))
        if answer in (200, 204, "hang", "cut", "garbage", "half", "late"):
            side.delivered[connection_id] += 1
            side.bodies[connection_id].append(body)
        self.answer(method, answer)

    def answer(self, method: str, answer: Answer) -> None:
        match answer:
            case "hang":
                self.hanging = True
                self.side.hanging.append(self.transport)
            case "cut":
                self.transport.close()
                self.hanging = True
            case "garbage":
                self.transport.write(b"\x00\x01 this is not HTTP \xff\r\n\r\n")
                self.transport.close()
                self.hanging = True
            case "half":
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                self.transport.close()
                self.hanging = True
            case "late":
                self.side.in_flight += 1
                self.side.most_in_flight = max(self.side.most_in_flight, self.side.in_flight)
                asyncio.get_running_loop().call_later(0.05, self.late)
            case int():
                status = 204 if method == "DELETE" and answer == 200 else answer
                self.reply(status, STATUS_BODY if method == "GET" and answer == 200 else b"")
            case _:
                raise ValueError(answer)

    def late(self) -> None:
        self.side.in_flight -= 1
        self.reply(200, b"")

    def reply(self, status: int, body: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


STATUS_BODY = json.dumps(
    {
        "connectedAt": "2026-11-22T10:00:00.123Z",
        "identity": {"sourceIp": "203.0.113.9", "userAgent": "x"},
        "lastActiveAt": "2026-11-22T10:05:00Z",
    }
).encode()
