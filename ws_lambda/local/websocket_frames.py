"""WebSocket frames and messages: their size limits, and how messages are cut into frames.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

import struct
from collections.abc import Iterator

MAX_MESSAGE = 131_072
"""Bytes in a message, in either direction."""

MAX_FRAME = 32_768
"""Bytes in a frame, in either direction."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def pieces(payload: bytes) -> Iterator[bytes]:
    """The payloads of the frames of a message."""
    for start in range(0, max(len(payload), 1), MAX_FRAME):
        yield payload[start : start + MAX_FRAME]


def encoded(payload: bytes) -> bytes:
    """A text message as a server sends it: unmasked, cut into frames."""
    parts = list(pieces(payload))
    out = bytearray()
    for index, part in enumerate(parts):
        final = 0x80 if index == len(parts) - 1 else 0
        out.append(final | (TEXT if index == 0 else CONTINUATION))
        out += bytes([len(part)]) if len(part) < 126 else struct.pack("!BH", 126, len(part))
        out += part
    return bytes(out)


class Meter:
    """Reads the frame headers in a client's byte stream.

    aiohttp delivers whole messages, but the service limits single frames, too.
    """

    def __init__(self) -> None:
        self._head = bytearray()
        self._payload_left = 0
        self._message = 0
        self.pings = 0
        """Ping frames seen so far."""

        self.too_big = False
        """Whether a frame or a message was too big."""

        self.close_seen = False
        """Whether the client sent a close frame."""

    def feed(self, data: bytes) -> None:
        """Reads the next bytes."""
        at = 0
        while at < len(data):
            if self._payload_left:
                taken = min(self._payload_left, len(data) - at)
                self._payload_left -= taken
                at += taken
                continue
            self._head.append(data[at])
            at += 1
            length = self._length()
            if length is not None:
                self._begin(length)

    def _length(self) -> int | None:
        """The payload's length, once the header is complete."""
        head = self._head
        if len(head) < 2:
            return None
        short, masked = head[1] & 0x7F, head[1] & 0x80
        extra = {126: 2, 127: 8}.get(short, 0)
        if len(head) < 2 + extra + (4 if masked else 0):
            return None
        return int.from_bytes(head[2 : 2 + extra], "big") if extra else short

    def _begin(self, length: int) -> None:
        final, opcode = self._head[0] & 0x80, self._head[0] & 0x0F
        self._head.clear()
        self._payload_left = length
        self.pings += opcode == PING
        self.close_seen |= opcode == CLOSE
        if opcode >= CLOSE:
            return
        self._message += length
        self.too_big |= length > MAX_FRAME or self._message > MAX_MESSAGE
        if final:
            self._message = 0
