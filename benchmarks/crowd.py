"""Many WebSocket clients in one process: `python -m benchmarks.crowd PORT CLIENTS FRAME_BYTES`.

Prints "ready" when all are connected, then the time (of the monotonic clock, which all processes share) at which the
last of them had its message, then how many bytes too many came.
"""

import asyncio
import sys
import time
from typing import Any

HANDSHAKE = (
    "GET /production HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
AT_ONCE = 200


class Crowd:
    """All clients together."""

    def __init__(self, clients: int, frame: int) -> None:
        self.expected = clients * frame
        self.received = 0
        self.everyone = asyncio.Event()
        self.last_at = 0.0

    def count(self, size: int) -> None:
        self.received += size
        if self.received >= self.expected and not self.everyone.is_set():
            self.last_at = time.monotonic()
            self.everyone.set()


class Client(asyncio.Protocol):
    """One client: it shakes hands, and counts what it is sent."""

    def __init__(self, crowd: Crowd, port: int) -> None:
        self.crowd, self.port = crowd, port
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.transport.write(HANDSHAKE.format(port=self.port).encode())

    def data_received(self, data: bytes) -> None:
        if self.open.done():
            self.crowd.count(len(data))
            return
        self.head += data
        if b"\r\n\r\n" in self.head:
            assert self.head.startswith(b"HTTP/1.1 101"), self.head
            self.open.set_result(None)


async def main(port: str, clients: str, frame: str) -> None:
    crowd = Crowd(int(clients), int(frame))
    gate = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()

    async def join() -> Client:
        async with gate:
            _, client = await loop.create_connection(lambda: Client(crowd, int(port)), "127.0.0.1", int(port))
            await client.open
            return client

    everyone = await asyncio.gather(*(join() for _ in range(int(clients))))
    print("ready", flush=True)
    await crowd.everyone.wait()
    await asyncio.sleep(0.3)
    print(crowd.last_at, crowd.received - crowd.expected, flush=True)
    for client in everyone:
        client.transport.abort()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
