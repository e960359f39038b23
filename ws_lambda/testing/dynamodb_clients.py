"""DynamoDB clients that are kept from one test to the next. Creating one takes longer than most tests."""

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
    """The handler cache of each of the two clients. botocore replaces the cache when handlers change."""

    def fits(self) -> bool:
        """Whether new clients would be equal to these."""
        return self.session is aws.session() and self.environment == _environment()

    def untouched(self) -> bool:
        """Whether no handler was added to the clients or removed from them."""
        now = [_handlers(self.connection.client), _handlers(self.client)]
        return all(cache is not None and cache is before for cache, before in zip(now, self.handlers, strict=True))


_kept: list[_Kept] = []
"""The clients of an earlier block: one element at most."""


@contextmanager
def clients() -> Iterator[list[str]]:
    """Sets the package's clients for the time of a `with` block. The value is the list of requests so far."""
    with noting_requests() as requests:
        forget()
        try:
            with _kept_clients():
                yield requests
        finally:
            forget()


def forget() -> None:
    """Makes the process forget what it remembers of the former DynamoDB and its data."""
    process_state.forget(Occasion.TEST)


@contextmanager
def _kept_clients() -> Iterator[None]:
    """Gives the package the clients of an earlier block, or new ones.

    They are new if the `AWS_…` variables have changed, or if a test has registered a handler with the earlier ones:
    such a handler must not see the requests of the next test.
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
    """The handler cache of a client; None if botocore's internals have changed. Clients are not kept then."""
    return getattr(getattr(client.meta.events, "_emitter", None), "_lookup_cache", None)
