"""What a process remembers, in one list, and the occasions on which it must forget it.

Each module that keeps something registers how to forget it. Whoever has an occasion calls `forget`, and need not know
the modules: the test kit, SnapStart's hooks, and a fork.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

Forget = Callable[[], object]


class Occasion(Enum):
    """When something that was remembered is no longer true, or no longer one's own."""

    TEST = auto()
    """A test begins or ends: the DynamoDB behind the endpoint is another one, and nothing has happened yet."""

    SETTINGS = auto()
    """A test has overridden settings. Only what was built from them goes; what was read from tables stays."""

    SNAPSHOT = auto()
    """SnapStart is about to take the snapshot: connections are closed."""

    RESTORE = auto()
    """The process was restored from a snapshot, perhaps days later, and is one of many that were."""

    FORK = auto()
    """This is the child of a fork. Another thread of the parent may have held a lock, and open connections are the
    parent's.
    """


_registered: dict[Occasion, list[Forget]] = defaultdict(list)


def register(forget: Forget, *occasions: Occasion) -> None:
    """Has `forget` called on each of the occasions, in the order of registration."""
    for occasion in occasions:
        _registered[occasion].append(forget)


def forget(occasion: Occasion) -> None:
    """Forgets what must be forgotten on an occasion. Modules that are not imported remember nothing."""
    for one in tuple(_registered[occasion]):
        one()


os.register_at_fork(after_in_child=lambda: forget(Occasion.FORK))


class Lock:
    """A lock for what a process remembers. It is free again in the child of a fork, whoever held it in the parent."""

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
