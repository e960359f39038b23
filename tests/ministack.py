"""ministack, an AWS emulator of other hands, on a free port. It pins its own botocore, hence its own venv."""

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

from tests.local_site import ROOT, required

START_SECONDS = 60


def program() -> str:
    """The program: what MINISTACK names, or what `make .venv-ministack` has installed.

    Skips the test where there is none.
    """
    named = os.environ.get("MINISTACK") or shutil.which("ministack")
    installed = ROOT / ".venv-ministack" / "bin" / "ministack"
    if not named and not installed.exists():
        required("ministack (make .venv-ministack)")
    return named or str(installed)


@contextmanager
def running(folder: Path, **more: str) -> Iterator[str]:
    """Runs one until the block ends, with more in its environment; the value is its endpoint.

    What it says is in `folder`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "TMPDIR": str(folder),
        **more,
    }
    log = folder / "ministack.log"
    with log.open("w") as said, subprocess.Popen([program()], env=env, stdout=said, stderr=said) as process:
        try:
            _wait(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2):
                return
        except urllib.error.HTTPError:
            return  # it answers, whatever it thinks of the question
        except OSError:
            time.sleep(0.2)
    tail = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())[-2000:]
    raise AssertionError(f"ministack did not start:\n{tail}")
