"""Has botocore and moto find out once a process what they find out for each session, client or request.

A new botocore session takes a second for the models of a few services, and a client 10 ms for names of events.
"""

from functools import cache
from typing import Any

from botocore import hooks, loaders
from moto.core import responses


def read_once() -> None:
    """From now on every session gets the same objects, as the clients of one session always do."""
    read, known = loaders.JSONFileLoader.load_file, {}

    def load_file(loader: loaders.JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = read(loader, path)
        return known[path]

    loaders.JSONFileLoader.load_file = load_file
    _share_names_of_events()
    responses.method_names_from_class = cache(responses.method_names_from_class)


def _share_names_of_events() -> None:
    """Gives all clients one memory of how events are called."""
    names: dict[str, str] = {}
    made = hooks.EventAliaser.__init__

    def make(self: hooks.EventAliaser, event_emitter: Any, event_aliases: Any = None) -> None:
        made(self, event_emitter, event_aliases)
        if self._event_aliases == hooks.EVENT_ALIASES:
            self._alias_name_cache = names

    hooks.EventAliaser.__init__ = make
