"""Runs the worker under Django's reloader, and survives code that does not load.

If the settings cannot be imported, Django's reloader fails, too. The worker then waits for a change by itself, so that
the supervisor, and with it every open socket, goes on.
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
"""Seconds between two checks of the files."""


def run(work: Callable[[Callable[[], None]], None], ready: Callable[[], None]) -> None:
    """Does the work in a thread, until a file changes.

    Args:
        work: calls its argument before it begins to serve.
        ready: waits until it may serve.
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
        # The thread fails for the same reason. It prints the error, and ends the process when a file changes.
        threading.Event().wait()


def _tell_of_the_first_look(reloader: Any, watching: threading.Event) -> None:
    """Sets the event when the reloader knows the ages of the files. A developer may save a file as soon as a page is
    there, and the reloader never notices a change before its first check.
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
    """The files in the traceback of an error. A file that failed to import is not among the loaded modules."""
    named = getattr(error, "filename", None)
    return {frame.filename for frame in traceback.extract_tb(error.__traceback__)} | ({named} if named else set())


def _wait_for_a_change(since: float, files: set[str]) -> None:
    """Waits until a file is newer than the process, also if it was saved while the error was printed."""
    while not any(_saved_at(path) > since for path in files | set(map(str, autoreload.iter_all_python_module_files()))):
        time.sleep(LOOKS_EVERY)


def _saved_at(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
