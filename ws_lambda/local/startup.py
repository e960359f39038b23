"""Starting quickly."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Imports without garbage collection, which would look through all new objects again and again, though they stay.
    The first page of `ws_local` comes 5 to 8 % sooner.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
