"""Reads pages of sessions with a bounded number of requests. The filters decide which index is read.

filter                 requests for a page
connected (default)    one query of each of the four partitions of the index `live`, and the details
a channel              one query of its roster, and the details
a user                 at most five queries of the index `by_user`, and the details
closed, or all         at most five parts of a scan
a connection id        one read
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ws_lambda import channels
from ws_lambda.admin import models as admin_models
from ws_lambda.admin.row_set import Asked, Page, RowSource, read_pages
from ws_lambda.models.session import WebSocketSession
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.sessions import CLOSING, LIVE_SHARDS, channels_of

YES, NO, ALL = "yes", "no", "all"


class Sessions(RowSource):
    """Connections, newest first if the index that is read has their age."""

    model = admin_models.WebSocketSession

    def page(self, asked: Asked) -> Page:
        after, connected = asked.after, asked.filters.get("connected", YES)
        keys: list[str]
        cursor: Any
        if asked.search:
            return Page(rows=self.many([asked.search]))
        if channel := asked.filters.get("channel"):
            keys, cursor = _in_channel(channel, asked.size, after or [0, None])
        elif user := asked.filters.get("user"):
            keys, cursor = _of_user(user, connected, asked.size, after)
        elif connected == YES:
            keys, cursor = _live(asked.size, after or {})
        else:
            return _scanned(connected, asked)
        rows = [row for row in self.many(keys) if _selected(row, asked.filters, connected)]
        return Page(rows=rows, cursor=asked.cursor_of(cursor))

    def many(self, keys: Sequence[str]) -> list[Any]:
        found = {row.connection_id: _row(row) for row in WebSocketSession.batch_get(list(keys), consistent_read=True)}
        return [found[key] for key in keys if key in found]


def _row(row: WebSocketSession) -> admin_models.WebSocketSession:
    return admin_models.WebSocketSession.of(row, all_channels=sorted(channels_of(row)))


def _selected(row: admin_models.WebSocketSession, filters: Mapping[str, str], connected: str) -> bool:
    """Whether a row passes the filters. The index does not hold all values, and may be slightly out of date."""
    if connected != ALL and row.connected != (connected == YES):
        return False
    return filters.get("user", row.user_id) == row.user_id


def _live(size: int, after: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The newest open connections of all partitions. The cursor holds the position in each partition."""
    newest: list[tuple[int, str, str, dict[str, Any]]] = []
    finished: dict[str, bool] = {}
    for shard in LIVE_SHARDS:
        if after.get(shard) == "end":
            continue
        results = WebSocketSession.live.query(
            shard, scan_index_forward=False, page_size=size, last_evaluated_key=after.get(shard)
        )
        items, more = read_pages(results, size, requests=1)
        finished[shard] = not more
        newest += [(int(item["connected_at"]["N"]), item["connection_id"]["S"], shard, item) for item in items]
    newest.sort(key=lambda entry: entry[:2], reverse=True)
    shown, left = newest[:size], newest[size:]
    reached = dict(after)
    for _moment, _connection_id, shard, item in shown:
        reached[shard] = {name: item[name] for name in ("live_shard", "connected_at", "connection_id")}
    waiting = {entry[2] for entry in left}
    for shard, done in finished.items():
        if done and shard not in waiting:
            reached[shard] = "end"
    over = all(reached.get(shard) == "end" for shard in LIVE_SHARDS)
    return [entry[1] for entry in shown], {} if over else reached


def _in_channel(channel: str, size: int, after: list[Any]) -> tuple[list[str], list[Any] | None]:
    """The members of a channel, partition after partition."""
    shards, (number, key) = channels.shard_keys(channel), after
    if number >= len(shards):
        return [], None
    results = ChannelMembership.query(shards[number], page_size=size, last_evaluated_key=key)
    items, more = read_pages(results, size, requests=1)
    following = [number, more] if more else [number + 1, None]
    return _ids(items), following if following[0] < len(shards) else None


def _of_user(user: str, connected: str, size: int, after: Any) -> tuple[list[str], Any]:
    place = WebSocketSession.live_shard
    condition = {YES: place.is_in(*LIVE_SHARDS), NO: place.does_not_exist() | (place == CLOSING)}.get(connected)
    results = WebSocketSession.by_user.query(
        user, filter_condition=condition, scan_index_forward=False, page_size=size, last_evaluated_key=after
    )
    items, more = read_pages(results, size)
    return _ids(items), more


def _scanned(connected: str, asked: Asked) -> Page:
    """Scans the table: there is no index of closed connections. The rows are in no order."""
    condition = None if connected == ALL else WebSocketSession.connected == False  # noqa: E712 - an expression
    results = WebSocketSession.scan(condition, page_size=asked.size, last_evaluated_key=asked.after)
    items, more = read_pages(results, asked.size)
    rows = [_row(WebSocketSession.from_raw_data(item)) for item in items]
    return Page(rows=rows, cursor=asked.cursor_of(more))


def _ids(items: Iterable[dict[str, Any]]) -> list[str]:
    return [item["connection_id"]["S"] for item in items]
