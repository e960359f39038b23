"""Runs events through the real handler in a new process, like a new environment of the function.

Run as a module it is that process. Zappa is absent there unless asked for: Python finds no such package.
"""

import importlib
import json
import os
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def answers(
    events: list[Any], *, settings: str = "tests.settings", zappa: bool = False, path: Path | None = None
) -> list[dict[str, Any]]:
    """For each event `{"answer": ...}` or `{"error": "Type: message"}`.

    Args:
        events: sent one after the other.
        settings: the Django settings module; "" for none.
        zappa: whether Zappa is installed.
        path: a directory of further modules, such as `zappa_settings.py`.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV", "PYTEST"))}
    variables |= {
        "PYTHONPATH": os.pathsep.join(map(str, filter(None, [ROOT, path]))),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "DJANGO_SETTINGS_MODULE": settings,
    }
    if not settings:
        del variables["DJANGO_SETTINGS_MODULE"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.function_process", *(["zappa"] if zappa else [])],
        input=json.dumps(events), env=variables, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.rpartition("\n")[2])
    return found


class _WithoutZappa(PathFinder):
    """Hides Zappa: neither an import nor `find_spec` finds it."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.partition(".")[0] == "zappa":
            return None
        return super().find_spec(fullname, path, target)


def main(zappa: bool) -> None:
    if not zappa:
        sys.meta_path[sys.meta_path.index(PathFinder)] = _WithoutZappa
    # Not at the top: they are what this process is about, and must not be loaded before Zappa is hidden.
    importlib.import_module("ws_lambda.lambda_handler")
    invoke = importlib.import_module("ws_lambda.testing").invoke
    found = []
    for event in json.load(sys.stdin):
        try:
            found.append({"answer": invoke(event)})
        except Exception as error:
            found.append({"error": f"{type(error).__name__}: {error}"})
    sys.stdout.write("\n" + json.dumps(found))


if __name__ == "__main__":
    main("zappa" in sys.argv)
