"""Clients of DynamoDB that outlive a test: botocore takes longer to make one than most tests take."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ws_lambda import aws, process_state
from ws_lambda.process_state import Occasion
from ws_lambda.tables import shared_connection
from ws_lambda.testing.noted_requests import noting_requests

REGION = "eu-west-1"


@dataclass(frozen=True, slots=True)
class _Kept:
    session: Any
    environment: Mapping[str, str]
    connection: Any
    client: Any
    handlers: list[Any]
    """What each of the two has for a cache of its handlers. botocore makes another one when handlers change."""

    def fits(self) -> bool:
        """Whether clients that are made now would be the same."""
        return self.session is aws.session() and self.environment == _environment()

    def untouched(self) -> bool:
        """Whether nobody has added a handler to them, or removed one."""
        now = [_handlers(self.connection.client), _handlers(self.client)]
        return all(cache is not None and cache is before for cache, before in zip(now, self.handlers, strict=True))


_kept: list[_Kept] = []
"""At most one."""


@contextmanager
def clients() -> Iterator[list[str]]:
    """The package's clients for the DynamoDB of a `with` block; the value is the list of requests so far."""
    with noting_requests() as requests:
        forget()
        try:
            with _kept_clients():
                yield requests
        finally:
            forget()


def forget() -> None:
    """Drops what the process keeps of a DynamoDB that may be another one now, and of what has happened in it."""
    process_state.forget(Occasion.TEST)


@contextmanager
def _kept_clients() -> Iterator[None]:
    """Gives the package the clients of an earlier block, or makes them.

    They are made anew if the `AWS_…` variables have changed, and if a test has registered something with them: its
    handler must not see the requests of the next test.
    """
    found = _kept.pop() if _kept else None
    if found is None or not found.fits():
        found = _made()
    shared_connection.share_connection(found.connection)
    aws.share_client("dynamodb", found.client)
    try:
        yield
    finally:
        if found.untouched():
            _kept[:] = [found]


def _made() -> _Kept:
    shared_connection.forget_connection()
    aws.forget_client("dynamodb")
    connection, client = shared_connection.connection(), aws.client("dynamodb")
    return _Kept(aws.session(), _environment(), connection, client, [_handlers(connection.client), _handlers(client)])


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def _handlers(client: Any) -> Any:
    """None where botocore's insides are others than they were; nothing is kept then."""
    return getattr(getattr(client.meta.events, "_emitter", None), "_lookup_cache", None)
