"""Who is connected."""

from collections.abc import Iterator

from ws_lambda.local.connection import Connection


class Pool:
    """The open connections by id. No quota on how many."""

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
        """The open connection of that id."""
        return self._open.get(connection_id)

    def remove(self, connection: Connection) -> bool:
        """Takes a connection out; False where it was out already."""
        return self._open.pop(connection.connection_id, None) is not None
