"""Memberships whose connection is closed, or was an earlier connection with the same id."""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.exceptions import DeleteError

from ws_lambda.housekeeping import paging
from ws_lambda.models import ChannelMembership, WebSocketSession
from ws_lambda.tables.attributes import from_milliseconds
from ws_lambda.tables.sessions import LIVE_SHARDS
from ws_lambda.tables.shared_connection import condition_failed


class OpenIds:
    """The connections in the index of open ones. It keeps a number for each, so that a million fit into memory."""

    def __init__(self) -> None:
        self._marks: set[int] = set()
        self._read: set[str] = set()

    def note(self, shard: str, page: paging.Page) -> None:
        """Adds a page. The pages of a partition must be added in order, from the first one on."""
        self._marks.update(_mark(row) for row in page.rows)
        if page.following is None:
            self._read.add(shard)

    def complete(self) -> None:
        """Reads the partitions that this run has not read completely."""
        for shard in LIVE_SHARDS:
            if shard not in self._read:
                for page in paging.open_connections(shard):
                    self.note(shard, page)

    def __contains__(self, row: paging.Item) -> bool:
        return _mark(row) in self._marks


def remove_orphans(rows: Iterable[paging.Item], open_ids: OpenIds) -> int:
    """Removes memberships without an open session. Returns how many.

    Session and membership are written in one transaction, so a membership is never there before its session. Since the
    index is eventually consistent, the sessions of suspects are read consistently.
    """
    suspects = [row for row in rows if row not in open_ids]
    if not suspects:
        return 0
    found = WebSocketSession.batch_get(list({row["connection_id"]["S"] for row in suspects}), consistent_read=True)
    open_since = {one.connection_id: one.connected_at for one in found if one.connected}
    return sum(_remove(row) for row in suspects if open_since.get(row["connection_id"]["S"]) != _began(row))


def _remove(row: paging.Item) -> bool:
    key = ChannelMembership(row["channel"]["S"], row["connection_id"]["S"])
    began = _began(row)
    same = ChannelMembership.connected_at == began if began else ChannelMembership.connected_at.does_not_exist()
    try:
        key.delete(condition=same)
    except DeleteError as failed:
        if not condition_failed(failed):
            raise
        return False
    return True


def _began(row: paging.Item) -> datetime | None:
    return from_milliseconds(int(row["connected_at"]["N"])) if "connected_at" in row else None


def _mark(row: paging.Item) -> int:
    return hash((row["connection_id"]["S"], row.get("connected_at", {}).get("N")))
