"""The environment that is deployed, made once and kept: Zappa packs the one that it runs in, so it holds no more."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.local_site import ROOT, required

PINNED = dict.fromkeys(("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"), "constraints.txt")
"""As in the Makefile: what is installed, and what the package itself is built with."""


def environment(name: str, *requirements: str) -> Path:
    """The directory of `.venv-<name>`, with the requirements installed.

    Skips the test where they cannot be installed; fails it where `WS_LAMBDA_REQUIRE_ALL=1` says that they must be.
    """
    directory = ROOT / f".venv-{name}"
    stamp = directory / "made-of"
    made_of = hashlib.sha256("\n".join([sys.version, *requirements, _pins()]).encode()).hexdigest()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with (build / f"venv-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != made_of:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
            command = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements]
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=ROOT, env=os.environ | PINNED, check=False
            )
            if done.returncode:
                required(f"{requirements[-1]} in .venv-{name} ({done.stderr.strip()[-300:]})")
            stamp.write_text(made_of)
    return directory


def _pins() -> str:
    return (ROOT / "pyproject.toml").read_text() + (ROOT / "constraints.txt").read_text()
