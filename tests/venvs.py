"""The environments beside the one that the tests run in: made once, kept, and of its interpreter and its Django."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.local_site import ROOT, required


def directory(name: str) -> Path:
    """Where the environment of this name is: `.venv-<name>`, or `.venv-python3.14-<name>` under `.venv-python3.14`."""
    here = Path(sys.prefix).name
    return ROOT / f"{here if here.startswith('.venv') else f'.venv-{here}'}-{name}"


def environment(name: str, *requirements: str) -> Path:
    """The directory of that environment, with the requirements installed.

    Zappa packs the environment that it runs in, so what is deployed has one that holds no more. Skips the test where
    they cannot be installed; fails it where `WS_LAMBDA_REQUIRE_ALL=1` says that they must be.
    """
    venv = directory(name)
    stamp = venv / "made-of"
    constraints = pins()
    made_of = "\n".join([sys.version, *requirements, (ROOT / "pyproject.toml").read_text(), constraints.read_text()])
    digest = hashlib.sha256(made_of.encode()).hexdigest()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with (build / f"{venv.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
            command = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements]
            pinned = dict.fromkeys(("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"), str(constraints))  # as in the Makefile
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=ROOT, env=os.environ | pinned, check=False
            )
            if done.returncode:
                required(f"{requirements[-1]} in {venv.name} ({done.stderr.strip()[-300:]})")
            stamp.write_text(digest)
    return venv


def pins() -> Path:
    """The pins that the tests' own environment was made with: `make … DJANGO=` puts others into it."""
    own = Path(sys.prefix) / "constraints.txt"
    return own if own.exists() else ROOT / "constraints.txt"
