"""`manage.py ws_local` in a folder, as long as a `with` block, and what its DynamoDB uses."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ws_lambda.local.supervisor import listen

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120


@dataclass(frozen=True, slots=True)
class LocalRun:
    """A run, with no slash at the end of its addresses."""

    site: str
    gateway: str
    pid: int

    def database_mb(self) -> float:
        """Resident memory of the DynamoDB process."""
        status = Path(f"/proc/{self._database()}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024

    def database_cpu(self) -> float:
        """Seconds of work that the DynamoDB process has done."""
        fields = Path(f"/proc/{self._database()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _database(self) -> int:
        for one in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            if "ws_lambda.local.dynamodb" in Path(f"/proc/{one}/cmdline").read_text():
                return int(one)
        raise RuntimeError("The run has no DynamoDB of its own.")


@contextmanager
def running(folder: Path, *arguments: str, **more: str) -> Iterator[LocalRun]:
    """The project of a folder, on free ports, with more in its environment."""
    ports = []
    for _ in range(2):
        with listen(0) as free:
            ports.append(free.getsockname()[1])
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"PYTHONPATH": str(ROOT), **more}
    command = [sys.executable, "manage.py", "ws_local", f"--port={ports[0]}", f"--ws-port={ports[1]}", *arguments]
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            site, gateway = (f"http://127.0.0.1:{port}" for port in ports)
            yield LocalRun(site, gateway, run.pid)
        finally:
            run.terminate()


def wait_for(url: str) -> None:
    """Returns once a page is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - our own server
                answer.read()
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise RuntimeError(f"{url} did not come within {PATIENCE} s.")
