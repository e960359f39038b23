"""Removing many connections from channels: one transaction for about fifty of them.

The same transaction closes connections that are left in no channel. So the rosters and the sessions always agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from ws_lambda import delivery
from ws_lambda.models.closing_requests import closing_item, leaving_item
from ws_lambda.models.session import WebSocketSession
from ws_lambda.models.transactions import MOST_ITEMS, batched
from ws_lambda.retrying import Retry
from ws_lambda.tables import idempotency
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.sessions import channels_of

_RETRY = Retry(base=0.04, attempts=6)
_KEYS = 100
"""Keys in one BatchGetItem."""

_FEW = 5
"""Up to this many requests of a hundred items go through botocore. For more, botocore would be the bottleneck."""

_FIELDS = (
    "connection_id, connected, connected_at, endpoint_url, user_id, auth_backend, channel_name, channels, "
    "unjudged_channels, joined_channels"
)

_NO_ERROR = {"None", "ConditionalCheckFailed"}
_MARKS = ("unjudged_channels", "joined_channels")

Item = Mapping[str, Any]


@dataclass(slots=True, eq=False)
class ChannelRemoval:
    """A connection that has just been read, and the channels to remove it from."""

    session: WebSocketSession
    """Is kept up to date with its row: `connected` says whether it has been closed."""

    lost: frozenset[str]
    mark: str = field(default_factory=idempotency.mark)
    """By it a request that closes the session recognises its own work."""

    @property
    def leaving(self) -> frozenset[str]:
        """The channels that the next transaction removes: as many as it can take."""
        return frozenset(sorted(self.lost.intersection(channels_of(self.session)))[: MOST_ITEMS - 1])

    @property
    def staying(self) -> frozenset[str]:
        """The channels that are left after that. If there are none, the session is closed."""
        return frozenset(channels_of(self.session)) - self.leaving

    def has_left(self) -> bool:
        """Updates the session after a transaction. Returns whether the removal is complete."""
        session, leaving, staying = self.session, self.leaving, self.staying
        if not staying:
            session.connected = False
            return True
        session.channel_name = _first(session, leaving, staying)
        session.channels = set(staying)
        for name in _MARKS:
            setattr(session, name, set(getattr(session, name) or ()) - leaving or None)
        return not self.leaving


@dataclass(kw_only=True)
class RemovalResult:
    """The outcome of removals. Those in none of the lists had closed in the meantime."""

    done: list[ChannelRemoval] = field(default_factory=list)
    changed: list[ChannelRemoval] = field(default_factory=list)
    """Not done: the connection has changed its channels in the meantime, so they must be checked again."""

    undone: list[ChannelRemoval] = field(default_factory=list)
    error: str = ""
    """Why removals were not done: DynamoDB's error code, or the network error."""


def read_sessions(connection_ids: Sequence[str]) -> list[WebSocketSession]:
    """Reads sessions consistently, by their ids: a hundred in a request, and several requests at once.

    They have only the attributes that checking permissions, leaving and closing need. Do not save them.

    Raises:
        DeliveryError: they could not be read.
    """
    table = WebSocketSession.Meta.table_name
    keys: list[Item] = [{"connection_id": {"S": one}} for one in dict.fromkeys(connection_ids)]
    found, error = list[WebSocketSession](), ""
    attempts = _RETRY.begin()
    while True:
        parts = [keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS)]
        how = {"ConsistentRead": True, "ProjectionExpression": _FIELDS}
        calls = [delivery.Call("BatchGetItem", {"RequestItems": {table: {"Keys": part, **how}}}) for part in parts]
        delivery.call_all(calls, few=_FEW)
        keys = []
        for part, call in zip(parts, calls, strict=True):
            if call.answer is None:
                keys, error = keys + part, call.error
                continue
            found += map(WebSocketSession.from_raw_data, call.answer["Responses"].get(table, ()))
            keys += (call.answer.get("UnprocessedKeys") or {}).get(table, {}).get("Keys", ())
        if not keys:
            return found
        if not attempts.wait():
            raise delivery.DeliveryError(f"{len(keys)} sessions could not be read: {error or 'DynamoDB is too busy'}")


def leave_many(departures: Iterable[ChannelRemoval]) -> RemovalResult:
    """Removes connections from channels, and closes the sessions of those that are left in none.

    The caller closes the sockets afterwards. This ends soon after the deadline, if there is one. After each failure
    transactions are half as big, down to one connection each, so that one connection cannot hold up the others.
    """
    waiting, departed = list(departures), RemovalResult()
    attempts = _RETRY.begin()
    while waiting:
        batches = list(batched(waiting, lambda one: 1 + len(one.leaving), MOST_ITEMS >> attempts.made))
        calls = [delivery.Call("TransactWriteItems", _transaction(batch)) for batch in batches]
        delivery.call_all(calls, few=_FEW)
        waiting = []
        for batch, call in zip(batches, calls, strict=True):
            waiting += _settle(batch, call, departed)
        if waiting and not attempts.wait():
            break
    departed.undone = waiting
    return departed


def _settle(batch: Sequence[ChannelRemoval], call: delivery.Call, departed: RemovalResult) -> list[ChannelRemoval]:
    """Records the outcome of a transaction. Returns the removals that are worth another attempt."""
    if call.answer is not None:
        return [one for one in batch if not _ends(one, departed)]
    departed.error = call.error
    if call.error != delivery.CANCELLED:
        return list(batch)
    again, reasons = [], iter(call.reasons)
    for one in batch:
        of_session, *of_rosters = [next(reasons, {}) for _item in range(1 + len(one.leaving))]
        codes = {str(reason.get("Code")) for reason in (of_session, *of_rosters)} - _NO_ERROR
        departed.error = next(iter(codes), departed.error)
        if of_session.get("Code") != "ConditionalCheckFailed":
            again.append(one)
        elif _is_done(one, item := of_session.get("Item") or {}):
            again += [] if _ends(one, departed) else [one]
        elif _is_open(one, item):
            departed.changed.append(one)
    return again


def _ends(departure: ChannelRemoval, departed: RemovalResult) -> bool:
    ended = departure.has_left()
    if ended:
        departed.done.append(departure)
    return ended


def _is_done(departure: ChannelRemoval, item: Item) -> bool:
    """Whether an earlier attempt, whose answer was lost, has done the removal."""
    if departure.staying:
        return _is_open(departure, item) and set(item.get("channels", {}).get("SS", ())) == departure.staying
    return item.get("closed_by") == {"S": departure.mark}


def _is_open(departure: ChannelRemoval, item: Item) -> bool:
    began = str(milliseconds(departure.session.connected_at))
    return item.get("connected") == {"BOOL": True} and item.get("connected_at") == {"N": began}


def _transaction(batch: Iterable[ChannelRemoval]) -> dict[str, Any]:
    items: list[Item] = []
    for one in batch:
        if one.staying:
            items.append({"Update": _update(one)})
        else:
            items.append(closing_item(one.session.recipient, one.leaving, one.mark))
        items += [leaving_item(name, one.session.connection_id) for name in sorted(one.leaving)]
    return {"TransactItems": items, "ClientRequestToken": uuid4().hex}


def _update(departure: ChannelRemoval) -> dict[str, Any]:
    session, leaving, staying = departure.session, departure.leaving, departure.staying
    values: dict[str, Any] = {
        ":true": {"BOOL": True},
        ":generation": {"N": str(milliseconds(session.connected_at))},
        ":channels": {"SS": sorted(channels_of(session))},
        ":staying": {"SS": sorted(staying)},
        ":first": {"S": _first(session, leaving, staying)},
    }
    unmarked = []
    for name in _MARKS:
        if marked := leaving.intersection(getattr(session, name) or ()):
            unmarked.append(f"{name} :{name}")
            values[f":{name}"] = {"SS": sorted(marked)}
    return {
        "TableName": WebSocketSession.Meta.table_name,
        "Key": {"connection_id": {"S": session.connection_id}},
        "UpdateExpression": "SET channels = :staying, channel_name = :first"
        + (f" DELETE {', '.join(unmarked)}" if unmarked else ""),
        "ConditionExpression": "connected = :true AND connected_at = :generation AND channels = :channels",
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _first(session: WebSocketSession, leaving: frozenset[str], staying: frozenset[str]) -> str:
    return session.channel_name if session.channel_name not in leaving else min(staying)
