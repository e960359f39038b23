"""The connections whose `$connect` this invocation is answering. No message can be sent to them yet.

API Gateway opens a connection when `$connect` has returned. Code inside `$connect` would wait for itself.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

from ws_lambda.exceptions import NotOpenYet


class Connecting:
    """One `$connect` that is being answered."""

    __slots__ = ("disconnected", "opened")

    def __init__(self) -> None:
        self.disconnected = False
        """Whether `disconnect()` was called for the connection, so that its `$connect` must be refused."""

        self.opened = False
        """Whether the view has accepted the connection. Middleware may still refuse it."""


_under_way: ContextVar[Mapping[str, Connecting]] = ContextVar(
    "ws_lambda_delivery_connecting", default=MappingProxyType({})
)


@contextmanager
def connecting(connection_id: str) -> Iterator[Connecting]:
    """Marks a connection as not open in this thread, for the time of a `with` block. Nested blocks share the mark."""
    before = _under_way.get()
    one = before.get(connection_id) or Connecting()
    token = _under_way.set({**before, connection_id: one})
    try:
        yield one
    finally:
        _under_way.reset(token)


def under_way() -> Mapping[str, Connecting]:
    """The connections that this invocation is connecting, by id."""
    return _under_way.get()


def check_open(connection_id: str) -> None:
    """Checks that a message can be sent to this connection.

    Raises:
        NotOpenYet: this invocation is answering its `$connect`.
    """
    if connection_id in _under_way.get():
        raise NotOpenYet()
