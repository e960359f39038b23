"""Closing many sessions at once: each is marked closed, then it is taken from the channels that it was in."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from ws_lambda import channels, clock, delivery
from ws_lambda.conf import conf
from ws_lambda.delivery.calls import Calling
from ws_lambda.models import own_work
from ws_lambda.models.attributes import milliseconds
from ws_lambda.models.memberships import ChannelMembership
from ws_lambda.models.sessions import CLOSING, WebSocketSession

_log = logging.getLogger("ws_lambda.delivery")

_BATCH = 25
"""Rows of one BatchWriteItem.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""


def close_all(recipients: Iterable[delivery.Recipient], channel_name: str = "") -> int:
    """Closes sessions, of that generation only; how many it closed.

    Args:
        channel_name: the channel whose roster named them; its rows go even where the session's record is gone.

    Raises:
        DeliveryError: some could not be closed. The others are.
    """
    closer = Closer(channel_name)
    closer.close(recipients)
    closer.finish()
    if closer.errors:
        raise delivery.DeliveryError(f"{len(closer.errors)} requests to close connections failed: {closer.errors[0]}")
    return closer.closed


class Closer:
    """Closes sessions while others are sent to: `work` is for the same pump (see `exchange.Together`)."""

    def __init__(self, channel_name: str = "") -> None:
        """
        Args:
            channel_name: the channel whose roster names them; "" where none does.
        """
        self.work = Calling()
        self.closed = 0
        self.errors: list[str] = []
        """Why requests failed. The next send finds those connections again."""

        self._channel_name = channel_name
        self._leaving: list[tuple[str, str]] = []

    def close(self, recipients: Iterable[delivery.Recipient]) -> None:
        """Has these closed, of that generation only. Makes no request itself."""
        mark = own_work.mark()
        updates = _Updates(mark)
        for one in dict.fromkeys(recipients):
            self.work.add(delivery.Call("UpdateItem", updates.body(one), then=partial(self._marked, one, mark)))

    def finish(self) -> None:
        """Makes the requests that are still to be made. Ends soon after the deadline, if there is one."""
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
                self.work.add(delivery.Call("DeleteItem", _leaving_alone(key, recipient), then=self._left))
        if len(self._leaving) >= _BATCH:
            self._leave()

    def _leave(self) -> None:
        """Nothing else can be under these keys: the session of that generation was open a moment ago."""
        for start in range(0, len(self._leaving), _BATCH):
            batch = self._leaving[start : start + _BATCH]
            self.work.add(delivery.Call("BatchWriteItem", _leaving_together(batch), then=self._left))
        self._leaving.clear()

    def _left(self, call: delivery.Call) -> None:
        if call.answer is None and call.error != delivery.CONDITION_FAILED:
            self.errors.append(call.error)


def _is_generation(item: Mapping[str, Any], recipient: delivery.Recipient) -> bool:
    return bool(item) and recipient.connected_at in (0, int(item["connected_at"]["N"]))


def _leaving_together(keys: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "RequestItems": {ChannelMembership.Meta.table_name: [{"DeleteRequest": {"Key": _key(*one)}} for one in keys]}
    }


def _leaving_alone(key: tuple[str, str], recipient: delivery.Recipient) -> dict[str, Any]:
    return {
        "TableName": ChannelMembership.Meta.table_name,
        "Key": _key(*key),
        "ConditionExpression": "connected_at = :generation",
        "ExpressionAttributeValues": {":generation": {"N": str(recipient.connected_at)}},
    }


def _key(channel: str, connection_id: str) -> dict[str, Any]:
    return {"channel": {"S": channel}, "connection_id": {"S": connection_id}}


def closing_update(
    connection_id: str, connected_at: int, mark: str, *, api_id: str = "", undropped: bool = False
) -> dict[str, Any]:
    """The UpdateItem that closes a session.

    Args:
        connected_at: only this generation, in milliseconds; 0 for any.
        mark: by which this request knows what it has done itself.
        api_id: only if it is this gateway's.
        undropped: whether it is listed as `CLOSING`, for its socket to be closed later: it may not be open yet.
    """
    now = clock.utcnow()
    values: dict[str, Any] = {
        ":true": {"BOOL": True},
        ":false": {"BOOL": False},
        ":now": {"N": str(milliseconds(now))},
        ":mark": {"S": mark},
        ":keep": {"N": str(int((now + timedelta(seconds=conf.SESSION_RETENTION_SECONDS)).timestamp()))},
    }
    conditions = ["connected = :true"]
    if api_id:
        conditions.append("api_id = :api")
        values[":api"] = {"S": api_id}
    if connected_at:
        conditions.append("connected_at = :generation")
        values[":generation"] = {"N": str(connected_at)}
    place = " REMOVE live_shard"
    if undropped:
        place = ", live_shard = :closing"
        values[":closing"] = {"S": CLOSING}
    return {
        "TableName": WebSocketSession.Meta.table_name,
        "Key": {"connection_id": {"S": connection_id}},
        "UpdateExpression": (
            "SET connected = :false, disconnected_at = :now, expires_at = :keep, closed_by = :mark" + place
        ),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": values,
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


class _Updates:
    """The same for many sessions, as JSON. They differ in two places only, so it is written once: that is faster."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._written: dict[tuple[bool, bool], list[str]] = {}

    def body(self, one: delivery.Recipient) -> bytes:
        """The request about one session."""
        kind = one.is_young, bool(one.connected_at)
        parts = self._written.get(kind) or self._written.setdefault(kind, self._write(*kind))
        key = json.dumps(one.connection_id)
        return f"{parts[0]}{key}{parts[1]}{one.connected_at or ''}{parts[2]}".encode()

    def _write(self, young: bool, generation: bool) -> list[str]:
        """The text before, between and after the two places."""
        place, number = "\x00", 10**30
        asked = closing_update(place, number if generation else 0, self._mark, undropped=young)
        before, after = json.dumps(asked).split(json.dumps(place))
        if not generation:
            return [before, after, ""]
        return [before, *after.split(str(number))]
