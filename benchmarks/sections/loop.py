"""The developer's loop: until `make run` answers its first page, until an edit is live, and rounds of the test kit."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import process
from benchmarks.local_run import running, wait_for

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
ROUNDS = 500


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
            with running(demo) as run:
                wait_for(f"{run.site}/login/")
                pages.append(time.perf_counter() - started)
                time.sleep(1.5)  # the reloader looks at the files once a second, from its own start on
                started = time.perf_counter()
                _add_page(demo, f"edit-{number}/")
                wait_for(f"{run.site}/edit-{number}/")
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


def _add_page(demo: Path, path: str) -> None:
    urls = demo / "project" / "urls.py"
    added = f"\nfrom django.http import HttpResponse\nurlpatterns += [path({path!r}, lambda request: HttpResponse())]\n"
    urls.write_text(urls.read_text() + added)
