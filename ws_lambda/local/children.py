"""Child processes that inherit sockets and end when this process does."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping


class Child:
    """One `python -m <module>`, which ends when this process does."""

    def __init__(self, module: str, sockets: Mapping[str, socket.socket], env: Mapping[str, str], *flags: str) -> None:
        self._module, self._sockets, self._env, self._flags = module, sockets, env, flags
        self._process: asyncio.subprocess.Process | None = None
        self._pipe = -1
        self._released = False

    async def start(self) -> None:
        """Starts the process, with its sockets as `--<name>-fd N`.

        It has a process group of its own: a terminal's Ctrl-C goes to the supervisor, which ends it.
        """
        theirs, self._pipe = os.pipe()
        fds = {name: one.fileno() for name, one in self._sockets.items()} | {"parent-pipe": theirs}
        arguments = [f"--{name}-fd={fd}" for name, fd in fds.items()]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, *arguments, *self._flags,
            pass_fds=tuple(fds.values()), env=dict(self._env), stdin=asyncio.subprocess.DEVNULL,
            process_group=0,
        )  # fmt: skip
        os.close(theirs)
        if self._released:
            self.release()

    def release(self) -> None:
        """Lets this process, and those started after it, continue after `ParentPipe.wait_for_go`."""
        self._released = True
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, b".")

    async def wait(self) -> int:
        """Waits until the process ends; returns its exit code."""
        if self._process is None:
            raise RuntimeError("The process has not been started.")
        code = await self._process.wait()
        self._close_pipe()
        return code

    async def stop(self) -> None:
        """Asks the process to end, and kills it after two seconds."""
        if self._process is None or self._process.returncode is not None:
            return
        self._send(signal.SIGTERM)
        try:
            async with asyncio.timeout(2):
                await self.wait()
        except TimeoutError:
            self._send(signal.SIGKILL)
            await self.wait()

    def _send(self, number: signal.Signals) -> None:
        """Sends a signal. asyncio would first poll for the end of the process, and may take the exit code itself."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
