"""ministack, an independent AWS emulator, on a free port. It pins its own botocore, so it has its own venv."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.local_site import required
from tests.venvs import directory

START_SECONDS = 180
TRIES = 3


def program() -> str:
    """The program: what MINISTACK names, or what `make test` has installed.

    It runs the functions that are deployed to it with its own interpreter, so there is one for each interpreter.
    Skips the test where there is none.
    """
    named = os.environ.get("MINISTACK") or shutil.which("ministack")
    installed = directory("ministack") / "bin" / "ministack"
    if not named and not installed.exists():
        required(f"ministack ({installed}, which `make test` makes)")
    return named or str(installed)


@contextmanager
def running(folder: Path, **more: str) -> Iterator[str]:
    """Runs one until the block ends, with more environment variables. The value is its URL. Its log is in `folder`."""
    with (folder / "ministack.log").open("w") as said:
        process, port = _started(folder, said, more)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _started(folder: Path, said: IO[str], more: dict[str, str]) -> "tuple[subprocess.Popen[bytes], int]":
    """Starts a process, and returns it with its port. It takes no port 0, so the free port may be taken meanwhile."""
    for _ in range(TRIES):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen([program()], env=_environment(folder, port) | more, stdout=said, stderr=said)
        if _answers(process, port):
            return process, port
        _end(process)
    tail = re.sub(r"\x1b\[[0-9;]*m", "", Path(said.name).read_text())[-2000:]
    raise AssertionError(f"ministack did not start:\n{tail}")


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder),
    }


def _answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=10):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return True  # any answer will do
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
