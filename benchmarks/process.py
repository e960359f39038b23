"""Measuring in fresh processes, with credentials that open nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def peak_mb() -> float:
    """The most memory that this process has had. Not `ru_maxrss`: Linux has that begin with what the parent had."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def run(module: str, *arguments: object, env: Mapping[str, str] | None = None, stdin: str = "") -> dict[str, Any]:
    """Runs `python -m module arguments`; the JSON that it prints last."""
    surroundings = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "eu-west-1",
        **(env or {}),
    }
    made = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=surroundings,
        input=stdin,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise RuntimeError(f"{module} {arguments} failed:\n{made.stderr}")
    return dict(json.loads(made.stdout.splitlines()[-1]))
