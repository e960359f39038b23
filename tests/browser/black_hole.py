"""A network that can lose its connections without a word: a TCP proxy (SOCKS5, RFC 1928) for a browser to go through.

To a browser behind it nothing else is different: hosts, ports and origins stay what they are.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress


class BlackHole:
    """The proxy. It works in a thread of its own, for Playwright's event loop has the one of the test."""

    def __init__(self) -> None:
        self.opened = 0
        """Connections made through it."""

        self.swallowed = 0
        """Bytes that a browser has sent into the hole."""

        self._lines: dict[Line, asyncio.Task[None] | None] = {}
        self._port = 0
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._finish: asyncio.Event

    @contextmanager
    def running(self) -> Iterator[str]:
        """Yields its address, as a browser wants it."""
        thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        thread.start()
        self._started.wait()
        try:
            yield f"socks5://127.0.0.1:{self._port}"
        finally:
            self._loop.call_soon_threadsafe(self._finish.set)
            thread.join()

    def swallow(self) -> int:
        """The connections that there are lead nowhere from now on, but stay open; new ones work.

        Returns: how many there are.
        """
        lines = list(self._lines)
        for line in lines:
            line.lost = True
        return len(lines)

    async def _run(self) -> None:
        self._loop, self._finish = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._finish.wait()
        server.close()  # asyncio.run ends the lines

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(self)
        self._lines[line] = asyncio.current_task()  # asyncio itself keeps a task no longer than its connection
        with closing(writer), suppress(OSError, EOFError):  # each side may hang up whenever it likes
            host, port = await _greet(reader, writer)
            far_reader, far_writer = await asyncio.open_connection(host, port)
            self.opened += 1
            writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            with closing(far_writer):
                await asyncio.gather(line.carry(reader, far_writer, up=True), line.carry(far_reader, writer))
        del self._lines[line]


class Line:
    """One connection through the proxy."""

    def __init__(self, proxy: BlackHole) -> None:
        self.proxy = proxy
        self.lost = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool = False) -> None:
        """Passes on what one side says. Of a lost line not even the end is heard."""
        while data := await reader.read(65_536):
            if not self.lost:
                writer.write(data)
                await writer.drain()
            elif up:
                self.proxy.swallowed += len(data)
        if not self.lost:
            writer.close()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """Where the browser wants to go."""
    _version, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    *_head, kind = await reader.readexactly(4)
    if kind == 3:  # a name
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode()
    else:
        host = ".".join(map(str, await reader.readexactly(4)))
    return host, int.from_bytes(await reader.readexactly(2))
