"""A pipe from parent to child. A byte in it means "go"; its end, that the parent is dead, even by SIGKILL."""

import os
import threading


class Lifeline:
    """The child's end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._go = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def wait_for_go(self) -> None:
        """Waits until the parent has everything ready."""
        self._go.wait()

    def _watch(self) -> None:
        while os.read(self._fd, 1):
            self._go.set()
        os._exit(0)
