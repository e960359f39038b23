"""Runs the worker's code under Django's reloader, and outlives code that does not load.

Where settings cannot be imported Django's reloader fails with them. The worker then waits by itself for a change,
so that the supervisor goes on, and with it every open socket.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.utils import autoreload

from ws_lambda.local.run_options import RELOAD

LOOKS_EVERY = 0.5
"""Seconds between two looks at the files."""


def run(work: Callable[[Callable[[], None]], None], ready: Callable[[], None]) -> None:
    """Does the work in a thread, until a file changes.

    Args:
        work: calls what it is given before it begins to serve.
        ready: waits until it may.
    """
    started, watching, reloader = time.time(), threading.Event(), autoreload.get_reloader()
    _tell_of_the_first_look(reloader, watching)

    def ready_and_watched() -> None:
        ready()
        watching.wait()

    def outliving() -> None:
        try:
            work(ready_and_watched)
        except Exception as error:
            traceback.print_exc()
            _wait_for_a_change(started, _culprits(error))
            os._exit(RELOAD)

    os.environ[autoreload.DJANGO_AUTORELOAD_ENV] = "true"
    try:
        autoreload.start_django(reloader, outliving)
    except Exception:
        # The thread fails by the same code: it says so, and ends the process when there is a change.
        threading.Event().wait()


def _tell_of_the_first_look(reloader: Any, watching: threading.Event) -> None:
    """Sets the event once the reloader knows how old the files are. Who has seen a page may save one at once, and a
    change before the first look is never noticed.
    """
    if not isinstance(reloader, autoreload.StatReloader):
        watching.set()
        return
    look = reloader.snapshot_files

    def looking() -> Iterator[Any]:
        yield from look()
        watching.set()

    setattr(reloader, "snapshot_files", looking)  # noqa: B010 - mypy takes a method for fixed


def _culprits(error: Exception) -> set[str]:
    """Files that an error came by. One that failed to import is not among the loaded modules."""
    named = getattr(error, "filename", None)
    return {frame.filename for frame in traceback.extract_tb(error.__traceback__)} | ({named} if named else set())


def _wait_for_a_change(since: float, files: set[str]) -> None:
    """Returns once a file is newer than the process: also one that was saved while the error was printed."""
    while not any(_saved_at(path) > since for path in files | set(map(str, autoreload.iter_all_python_module_files()))):
        time.sleep(LOOKS_EVERY)


def _saved_at(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
