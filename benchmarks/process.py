"""Measuring in fresh processes, with credentials that open nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def peak_mb() -> float:
    """The most memory that this process has had. Not `ru_maxrss`: Linux has that begin with what the parent had."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


class Talking:
    """A process that answers a line of input with a line of output."""

    def __init__(self, started: "subprocess.Popen[str]") -> None:
        self._started = started

    def tell(self, line: str) -> None:
        """Writes the line to it."""
        assert self._started.stdin
        self._started.stdin.write(line + "\n")
        self._started.stdin.flush()

    def line(self) -> str:
        """The next line of its output, without the end; waits for it.

        Raises:
            RuntimeError: the process has ended.
        """
        assert self._started.stdout
        line = self._started.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"{self._started.args} has ended")
        return line


@contextmanager
def talking(module: str, *arguments: object, env: Mapping[str, str] | None = None) -> Iterator[Talking]:
    """Runs `python -m module arguments` for as long as the block."""
    with subprocess.Popen(
        _command(module, arguments),
        env=_surroundings(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield Talking(started)
        finally:
            started.terminate()


def run(module: str, *arguments: object, env: Mapping[str, str] | None = None, stdin: str = "") -> dict[str, Any]:
    """Runs `python -m module arguments`; the JSON that it prints last."""
    made = subprocess.run(
        _command(module, arguments), env=_surroundings(env), input=stdin, capture_output=True, text=True
    )
    if made.returncode:
        raise RuntimeError(f"{module} {arguments} failed:\n{made.stderr}")
    return dict(json.loads(made.stdout.splitlines()[-1]))


def _command(module: str, arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _surroundings(env: Mapping[str, str] | None) -> dict[str, str]:
    return {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "eu-west-1",
        **(env or {}),
    }
