"""Has botocore read each of its service models once a process. A new session takes a second for a few of them."""

from typing import Any

from botocore.loaders import JSONFileLoader


def read_once() -> None:
    """From now on every session gets the same objects, as the clients of one session always do."""
    read, known = JSONFileLoader.load_file, {}

    def load_file(loader: JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = read(loader, path)
        return known[path]

    JSONFileLoader.load_file = load_file
