"""A connection's wire as a real socket, under aiohttp's WebSocket."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from ws_lambda.local import websocket_frames

BUFFER_LIMIT = 1_048_576
"""Bytes that may wait for a slow client before @connections answers 429."""

NEVER_SENT = frozenset({1005, 1006})
"""Close codes that mean that there was no close frame."""


class SocketWire:
    """Sends to a client. It writes the frames itself, because aiohttp never cuts a message into several."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._socket, self._transport = socket, transport
        self._closing: asyncio.Task[bool] | None = None

    def send(self, payload: bytes) -> None:
        """Writes a text message."""
        if not self._transport.is_closing():
            self._transport.write(websocket_frames.encoded(payload))

    def close(self, code: int, reason: str) -> None:
        """Closes the socket with a close frame, or without one if the code means that."""
        if code in NEVER_SENT:
            self._transport.abort()
            return
        close = self._socket.close(code=code, message=reason.encode()[:123])
        self._closing = asyncio.get_running_loop().create_task(close)

    def full(self) -> bool:
        """Whether the client reads too slowly."""
        return self._transport.get_write_buffer_size() > BUFFER_LIMIT


class FrameGuard(asyncio.Protocol):
    """Sits between a socket and aiohttp's protocol, and checks the sizes of frames."""

    def __init__(self, inner: asyncio.Protocol, transport: asyncio.Transport) -> None:
        self._inner, self._transport = inner, transport
        self._meter = websocket_frames.Meter()
        self._pings = 0
        self.on_too_big: Callable[[], None] = lambda: None
        self.on_ping: Callable[[], None] = lambda: None

    def data_received(self, data: bytes) -> None:
        """Passes bytes on until a frame is too big. Later bytes are dropped."""
        refused = self._meter.too_big
        self._meter.feed(data)
        if self._meter.pings > self._pings:
            self._pings = self._meter.pings
            self.on_ping()
        if not self._meter.too_big:
            self._inner.data_received(data)
        elif not refused:
            self.on_too_big()
        elif self._meter.close_seen:
            self._transport.close()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
