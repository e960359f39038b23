"""The connections whose `$connect` this very invocation is working on: none of them can be sent to yet.

API Gateway opens a connection when `$connect` has returned. Waiting for that from inside would be waiting for oneself.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

from ws_lambda.exceptions import NotOpenYet


class Connecting:
    """One `$connect` under way."""

    __slots__ = ("disconnected", "opened")

    def __init__(self) -> None:
        self.disconnected = False
        """Whether `disconnect()` was called for the connection: its `$connect` is to be refused."""

        self.opened = False
        """Whether the view has let it open. What comes after the view may still refuse."""


_under_way: ContextVar[Mapping[str, Connecting]] = ContextVar(
    "ws_lambda_delivery_connecting", default=MappingProxyType({})
)


@contextmanager
def connecting(connection_id: str) -> Iterator[Connecting]:
    """Inside, in this thread, the connection is known not to be open. Entered again for it, it is the same one."""
    before = _under_way.get()
    one = before.get(connection_id) or Connecting()
    token = _under_way.set({**before, connection_id: one})
    try:
        yield one
    finally:
        _under_way.reset(token)


def under_way() -> Mapping[str, Connecting]:
    """The connections that are being connected by this invocation, by id."""
    return _under_way.get()


def check_open(connection_id: str) -> None:
    """To be asked before a message goes to this connection alone.

    Raises:
        NotOpenYet: this invocation is its `$connect`.
    """
    if connection_id in _under_way.get():
        raise NotOpenYet()
