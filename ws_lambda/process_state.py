"""The registry of what a process remembers, and of the occasions on which it must forget it.

Each module that remembers something registers a function that forgets it. The test kit, SnapStart's hooks and a fork
call `forget`, and need not know the modules.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

Forget = Callable[[], object]


class Occasion(Enum):
    """When something that a process remembers is no longer true, or no longer belongs to it."""

    TEST = auto()
    """A test begins or ends: DynamoDB is a different one, and nothing has happened in it yet."""

    SETTINGS = auto()
    """A test has overridden settings. Only what was built from settings is forgotten. Data read from tables stays."""

    SNAPSHOT = auto()
    """SnapStart is about to take a snapshot. Connections are closed."""

    RESTORE = auto()
    """The process was restored from a snapshot, perhaps days later, like many others."""

    FORK = auto()
    """This process is the child of a fork. Another thread of the parent may have held a lock, and the open connections
    belong to the parent.
    """


_registered: dict[Occasion, list[Forget]] = defaultdict(list)


def register(forget: Forget, *occasions: Occasion) -> None:
    """Registers a function to call on each of the occasions, in the order of registration."""
    for occasion in occasions:
        _registered[occasion].append(forget)


def forget(occasion: Occasion) -> None:
    """Calls everything that is registered for an occasion. Modules that are not imported remember nothing."""
    for one in tuple(_registered[occasion]):
        one()


os.register_at_fork(after_in_child=lambda: forget(Occasion.FORK))


class Lock:
    """A lock for what a process remembers. In the child of a fork it is free, even if it was held in the parent."""

    def __init__(self, make: Callable[[], Any] = threading.Lock) -> None:
        self._make = make
        self._renew()
        register(self._renew, Occasion.FORK)

    def _renew(self) -> None:
        self._lock = self._make()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()
