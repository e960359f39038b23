"""A pipe from parent to child. A byte in it means "go"; its end, that the parent is dead, even by SIGKILL."""

import os
import shutil
import threading


class ParentPipe:
    """The child's end; `leftover` is a folder that a parent who dies can no longer remove."""

    def __init__(self, fd: int, leftover: str = "") -> None:
        self._fd, self._leftover = fd, leftover
        self._go = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def wait_for_go(self) -> None:
        """Waits until the parent has everything ready."""
        self._go.wait()

    def _watch(self) -> None:
        while os.read(self._fd, 1):
            self._go.set()
        if self._leftover:
            shutil.rmtree(self._leftover, ignore_errors=True)
        os._exit(0)
