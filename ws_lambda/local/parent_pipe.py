"""A pipe from the parent process to a child. A byte means "go"; its end means that the parent has died."""

import os
import shutil
import threading


class ParentPipe:
    """The child's end. If the parent dies, the child removes the folder `leftover`, and ends."""

    def __init__(self, fd: int, leftover: str = "") -> None:
        self._fd, self._leftover = fd, leftover
        self._go = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def wait_for_go(self) -> None:
        """Waits until the parent says that everything is ready."""
        self._go.wait()

    def _watch(self) -> None:
        while os.read(self._fd, 1):
            self._go.set()
        if self._leftover:
            shutil.rmtree(self._leftover, ignore_errors=True)
        os._exit(0)
