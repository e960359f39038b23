"""The developer's loop: until `make run` answers its first page, until an edit is live, and rounds of the test kit."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import process
from ws_lambda.local.supervisor import listen

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
ROUNDS = 500
PATIENCE = 120


def measure() -> dict[str, Any]:
    """The section of results.json. The best of several runs, since whatever else runs only adds."""
    pages, reloads = [], []
    with tempfile.TemporaryDirectory() as scratch:
        demo = Path(scratch)
        shutil.copytree(ROOT / "project", demo / "project", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "manage.py", demo)
        # Installed for `signing` only. `make run` has none, and botocore would import it in each of the processes.
        (demo / "awscrt.py").write_text("raise ImportError")
        for number in range(RUNS):
            started = time.perf_counter()
            with _running(demo) as url:
                _wait_for(url + "login/")
                pages.append(time.perf_counter() - started)
                time.sleep(1.5)  # the reloader looks at the files once a second, from its own start on
                started = time.perf_counter()
                _add_page(demo, f"edit-{number}/")
                _wait_for(f"{url}edit-{number}/")
                reloads.append(time.perf_counter() - started)
    kit = process.run("benchmarks.rounds", ROUNDS, env={"DJANGO_SETTINGS_MODULE": "benchmarks.site"})
    return {"first_page_s": round(min(pages), 2), "reload_s": round(min(reloads), 2), "rounds_s": kit["seconds"]}


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What `make bench` prints."""
    return [
        ("ws_local, first page", f"{result['first_page_s']} s", "<= 2 s"),
        ("ws_local, an edit is live", f"{result['reload_s']} s", "<= 2 s"),
        (f"test kit, {ROUNDS} rounds on moto", f"{result['rounds_s']} s", "<= 10 s"),
    ]


@contextmanager
def _running(demo: Path) -> Iterator[str]:
    ports = []
    for _ in range(2):
        with listen(0) as free:
            ports.append(free.getsockname()[1])
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "manage.py", "ws_local", f"--port={ports[0]}", f"--ws-port={ports[1]}"]
    with subprocess.Popen(command, cwd=demo, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            yield f"http://127.0.0.1:{ports[0]}/"
        finally:
            run.terminate()


def _wait_for(url: str) -> None:
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


def _add_page(demo: Path, path: str) -> None:
    urls = demo / "project" / "urls.py"
    added = f"\nfrom django.http import HttpResponse\nurlpatterns += [path({path!r}, lambda request: HttpResponse())]\n"
    urls.write_text(urls.read_text() + added)
