"""Closing many sessions: about fifty in one transaction, which also removes them from their channels.

Fewer than `_MANY`, and those whose transaction fails, are closed one by one: one request marks the session as closed
and returns its channels, another removes it from them. Both ways end in the same rows. A transaction costs twice the
write units but saves nine tenths of the CPU time, which matters because sessions are closed during a broadcast.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from ws_lambda import channels, delivery
from ws_lambda.models.closing_requests import (
    closing_item,
    closing_update,
    leaving_alone,
    leaving_item,
    leaving_together,
)
from ws_lambda.models.transactions import MOST_ITEMS, batched
from ws_lambda.tables import idempotency
from ws_lambda.tables.sessions import SessionRow

_MANY = 25
_READ_AT_ONCE = 100
"""Keys in one BatchGetItem.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
"""

_BATCH = 25
"""Rows in one BatchWriteItem.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""


def close_all(recipients: Iterable[delivery.Recipient], channel_name: str = "") -> int:
    """Closes the sessions of recipients. A later connection with the same id stays open.

    Args:
        channel_name: the channel whose roster named them. Its rows are removed even if the session is gone.

    Returns:
        How many sessions were closed.

    Raises:
        DeliveryError: some could not be closed. The others are closed.
    """
    closer = BatchCloser(channel_name)
    closer.close(recipients)
    closer.finish()
    if closer.errors:
        raise delivery.DeliveryError(f"{len(closer.errors)} requests to close connections failed: {closer.errors[0]}")
    return closer.closed


def close_gone(recipients: Sequence[delivery.Recipient], *, channel_name: str = "") -> int:
    """Closes the sessions of connections that API Gateway no longer knows. Returns how many it closed.

    Very young connections stay open, because they may still be opening.

    Args:
        channel_name: the channel whose roster named them. Its rows are removed even if the session is gone.
    """
    return close_all([one for one in recipients if not one.is_young], channel_name)


class BatchCloser:
    """Closes sessions while others are sent to: `work` is for the same pump (see `exchange.Together`)."""

    def __init__(self, channel_name: str = "") -> None:
        """
        Args:
            channel_name: the channel whose roster names them; "" where none does.
        """
        self.work = delivery.Calls()
        self.closed = 0
        self.errors: list[str] = []
        """Why requests failed. The next broadcast finds those connections again."""

        self._channel_name = channel_name
        self._leaving: list[tuple[str, str]] = []

    def close(self, recipients: Iterable[delivery.Recipient]) -> None:
        """Queues sessions to be closed. Makes no request itself. A later connection with the same id stays open."""
        listed = list(dict.fromkeys(recipients))
        if len(listed) < _MANY:
            self._close_alone(listed)
            return
        for start in range(0, len(listed), _READ_AT_ONCE):
            part = listed[start : start + _READ_AT_ONCE]
            self.work.add(delivery.Call("BatchGetItem", _reading(part), then=partial(self._read, part)))

    def _read(self, recipients: Sequence[delivery.Recipient], call: delivery.Call) -> None:
        answered = (call.answer or {}).get("Responses", {}).get(SessionRow.Meta.table_name, ())
        found = {item["connection_id"]["S"]: item for item in answered}
        open_now, others = list[_Open](), list[delivery.Recipient]()
        for one in recipients:
            item = found.get(one.connection_id, {})
            names = tuple(item.get("channels", {}).get("SS", ()))
            if item.get("connected") == {"BOOL": True} and _is_generation(item, one) and len(names) < MOST_ITEMS - 1:
                open_now.append(_Open(one, names, self._channel_name))
            else:
                others.append(one)
        self._close_alone(others)
        for batch in batched(open_now, lambda one: one.items):
            items = [item for one in batch for item in one.closing()]
            asked = {"TransactItems": items, "ClientRequestToken": uuid4().hex}
            self.work.add(delivery.Call("TransactWriteItems", asked, then=partial(self._closed_together, batch)))

    def _closed_together(self, batch: Sequence["_Open"], call: delivery.Call) -> None:
        if call.answer is not None:
            self.closed += len(batch)
        else:
            self._close_alone([one.recipient for one in batch])

    def _close_alone(self, recipients: Iterable[delivery.Recipient]) -> None:
        for one in recipients:
            mark = idempotency.mark()
            asked = closing_update(one, mark)
            self.work.add(delivery.Call("UpdateItem", asked, then=partial(self._marked, one, mark)))

    def finish(self) -> None:
        """Makes all outstanding requests. Ends soon after the deadline, if there is one."""
        self.work.run()
        self._leave()
        self.work.run()

    def _marked(self, recipient: delivery.Recipient, mark: str, call: delivery.Call) -> None:
        if call.answer is None and call.error != delivery.CONDITION_FAILED:
            self.errors.append(call.error)
            return
        was = call.item if call.answer is None else call.answer.get("Attributes") or {}
        closed_now = call.answer is not None or was.get("closed_by") == {"S": mark}
        self.closed += closed_now
        names = set(was["channels"]["SS"]) if _is_generation(was, recipient) and "channels" in was else set()
        names.add(self._channel_name)
        for name in filter(None, names):
            key = channels.shard_key(name, recipient.connection_id), recipient.connection_id
            if closed_now:
                self._leaving.append(key)
            else:
                self.work.add(delivery.Call("DeleteItem", leaving_alone(key, recipient), then=self._left))
        if len(self._leaving) >= _BATCH:
            self._leave()

    def _leave(self) -> None:
        """Needs no condition: the sessions were open a moment ago, so these rows are theirs."""
        for start in range(0, len(self._leaving), _BATCH):
            batch = self._leaving[start : start + _BATCH]
            self.work.add(delivery.Call("BatchWriteItem", leaving_together(batch), then=self._left))
        self._leaving.clear()

    def _left(self, call: delivery.Call) -> None:
        if call.answer is None and call.error != delivery.CONDITION_FAILED:
            self.errors.append(call.error)


@dataclass(frozen=True, slots=True)
class _Open:
    """A session that has just been read: it was open, and in these channels."""

    recipient: delivery.Recipient
    channels: tuple[str, ...]
    roster: str
    """The channel whose roster named it, or ""."""

    @property
    def names(self) -> set[str]:
        """The channels to remove it from."""
        return {*self.channels, self.roster} - {""}

    @property
    def items(self) -> int:
        """How many items of the transaction it needs."""
        return 1 + len(self.names)

    def closing(self) -> list[dict[str, Any]]:
        """The items that close it, if it is still in the same channels."""
        update = closing_item(self.recipient, self.channels, idempotency.mark())
        return [update, *(leaving_item(name, self.recipient.connection_id) for name in self.names)]


def _reading(recipients: Sequence[delivery.Recipient]) -> dict[str, Any]:
    asked = {
        "Keys": [{"connection_id": {"S": one}} for one in {one.connection_id for one in recipients}],
        "ProjectionExpression": "connection_id, connected, connected_at, channels",
        "ConsistentRead": True,
    }
    return {"RequestItems": {SessionRow.Meta.table_name: asked}}


def _is_generation(item: Mapping[str, Any], recipient: delivery.Recipient) -> bool:
    return bool(item) and recipient.connected_at in (0, int(item["connected_at"]["N"]))
