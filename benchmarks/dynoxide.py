"""dynoxide, a DynamoDB in one process that checks requests as AWS does, for the time of a `with` block."""

import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ws_lambda.local.supervisor import listen

_INSTALLED = Path(__file__).resolve().parents[1] / ".engines" / "dynoxide" / "node_modules" / "@dynoxide"
_PATIENCE = 30.0


class Missing(Exception):
    """It is not installed; the text says how to get it."""


@contextmanager
def serving() -> Iterator[str]:
    """Its endpoint URL; empty at the beginning, and gone at the end.

    Raises:
        Missing: it is not installed.
        RuntimeError: it does not come up.
    """
    with listen(0) as free:
        port = free.getsockname()[1]
    command = [_program(), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as engine:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            engine.terminate()


def _program() -> str:
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    installed = _INSTALLED / f"{platform.system().lower()}-{machine}" / "dynoxide"
    found = str(installed) if installed.exists() else shutil.which("dynoxide")
    if not found:
        raise Missing("dynoxide is not installed: `make test-engine ENGINE=dynoxide` gets it, with npm.")
    return found


def _wait_for(port: int) -> None:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("dynoxide does not come up.")
