"""The open connections."""

from collections.abc import Iterator

from ws_lambda.local.connection import Connection


class Pool:
    """The open connections, by id. Their number is not limited."""

    def __init__(self) -> None:
        self._open: dict[str, Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._open.values()))

    def add(self, connection: Connection) -> None:
        """Makes a connection reachable for @connections."""
        self._open[connection.connection_id] = connection

    def get(self, connection_id: str) -> Connection | None:
        """The open connection with this id, or None."""
        return self._open.get(connection_id)

    def remove(self, connection: Connection) -> bool:
        """Removes a connection. Returns False if it was not there."""
        return self._open.pop(connection.connection_id, None) is not None
