"""The last messages of channels, in one gap-free sequence each."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from ws_lambda import channels, clock
from ws_lambda.conf import conf
from ws_lambda.models.attributes import MillisecondsAttribute, PayloadAttribute, milliseconds
from ws_lambda.models.base import Table, TableMeta, connection

_LOST = {"ConditionalCheckFailed", "TransactionConflict"}
"""Another writer was faster."""

_SPARE = timedelta(days=1)
"""How much longer than HISTORY says a message stays in the table, for the next one to be numbered after it."""


@dataclass(frozen=True, slots=True)
class Resume:
    """What a client that was away is told."""

    messages: "list[ChannelMessage]"
    """What it missed, oldest first; or the newest ones, where not all can be given."""

    recovered: bool
    """Whether `messages` is everything it missed, without a gap."""


class _Start(Table):
    """The number that a channel's run of messages began with. It lives beside them, under the number 0.

    It settles who is first in an empty channel: both writers would otherwise begin with a number of their own.
    """

    class Meta(metaclass=TableMeta):
        name = "messages"

    channel_name = UnicodeAttribute(hash_key=True)
    sequence = NumberAttribute(range_key=True)
    first = NumberAttribute(null=True)
    expires_at = TTLAttribute()


class ChannelMessage(Table):
    """One message of a channel that HISTORY keeps.

    Numbers are contiguous: a message is stored under the number after the newest one that its writer has seen,
    on the condition that nobody took it. What has expired DynamoDB deletes late and in no order, the newest perhaps
    first. So where the newest has expired, there may have been a later one, and the channel goes on from the clock in
    milliseconds, which is beyond any number it can have reached: a sequence only ever grows.
    """

    class Meta(metaclass=TableMeta):
        name = "messages"

    channel_name = UnicodeAttribute(hash_key=True)
    sequence = NumberAttribute(range_key=True)
    payload = PayloadAttribute()
    sender = UnicodeAttribute(default="")
    sent_at = MillisecondsAttribute()
    expires_at = TTLAttribute()

    @classmethod
    def append(cls, channel_name: str, payload: Mapping[str, Any], *, sender: str = "") -> "ChannelMessage":
        """Stores a message durably and returns it with its number.

        Raises:
            InvalidChannel: it is no channel name, such as that of a connection in no channel.
            ValueError: HISTORY keeps nothing of this channel, or the payload has a NaN.
            TypeError: the payload has a type that Django's JSON encoder does not know.
        """
        channels.check_name(channel_name)
        _length, seconds = _history(channel_name)
        if seconds <= 0:
            raise ValueError(f"HISTORY keeps no messages of {channel_name!r}: add it to WS_LAMBDA['HISTORY'].")
        now = clock.utcnow()
        message = cls(
            channel_name,
            payload=dict(payload),
            sender=sender,
            sent_at=now,
            expires_at=now + timedelta(seconds=seconds) + _SPARE,
        )
        while not message._store():
            pass  # each round that is lost is one that another writer has won
        return message

    def _store(self) -> bool:
        """Takes the next number; False if another writer took it first."""
        try:
            if newest := self._newest(self.channel_name):
                self._store_after(newest)
            else:
                self._store_first()
        except (PutError, TransactWriteError) as lost:
            if _LOST.isdisjoint(_reasons(lost)):
                raise
            return False
        return True

    def _store_after(self, newest: "ChannelMessage") -> None:
        self.sequence = newest.sequence + 1
        self.save(condition=ChannelMessage.sequence.does_not_exist())

    def _store_first(self) -> None:
        """Begins a run in an empty channel, on the condition that nobody else did.

        What the start was is read before the channel is found empty once more: whoever began a run in between
        has changed it.
        """
        start = _Start(self.channel_name, 0)
        with suppress(_Start.DoesNotExist):
            start.refresh(consistent_read=True)
        if newest := self._newest(self.channel_name):
            return self._store_after(newest)
        self.sequence = milliseconds(self.sent_at)
        unchanged = _Start.first.does_not_exist() if start.first is None else _Start.first == start.first
        actions: list[Action] = [
            _Start.first.set(self.sequence),
            _Start.expires_at.set(self.expires_at + timedelta(days=1)),
        ]
        with TransactWrite(connection=connection()) as transaction:
            transaction.save(self, condition=ChannelMessage.sequence.does_not_exist())
            transaction.update(_Start(self.channel_name, 0), actions=actions, condition=unchanged)

    @classmethod
    def recent(cls, channel_name: str) -> "list[ChannelMessage]":
        """The newest messages, oldest first, as many as HISTORY replays."""
        length, seconds = _history(channel_name)
        return cls._newest_first(channel_name, length, timedelta(seconds=seconds))[::-1]

    @classmethod
    def since(cls, channel_name: str, sequence: int) -> Resume:
        """What came after a number that a client has seen."""
        missed = [message for message in cls.recent(channel_name) if message.sequence > sequence]
        if missed:
            complete = missed[-1].sequence == sequence + len(missed)
        else:
            length, _seconds = _history(channel_name)
            newest = cls._newest(channel_name)
            complete = bool(length) and newest is not None and newest.sequence == sequence
        return Resume(missed, complete)

    @classmethod
    def _newest(cls, channel_name: str) -> "ChannelMessage | None":
        """The newest message; None where a later one may have been deleted."""
        _length, seconds = _history(channel_name)
        found = cls._newest_first(channel_name, 1, timedelta(seconds=seconds) + _SPARE)
        return found[0] if found else None

    @classmethod
    def _newest_first(cls, channel_name: str, limit: int, age: timedelta) -> "list[ChannelMessage]":
        """The newest messages, as far as they are younger than that, and nothing may have deleted one of them."""
        if not limit or not channel_name:
            return []
        found = cls.query(channel_name, cls.sequence > 0, scan_index_forward=False, limit=limit, consistent_read=True)
        now = clock.utcnow()
        return [message for message in found if min(message.sent_at + age, message.expires_at) > now]


def _history(channel_name: str) -> tuple[int, int]:
    return channels.setting_for(conf.HISTORY, channel_name, (0, 0))


def _reasons(failed: PutError | TransactWriteError) -> set[str]:
    """Why DynamoDB did not write. A transaction is cancelled for any of its items, and not only by another writer."""
    if isinstance(failed, TransactWriteError) and failed.cancellation_reasons:
        return {reason.code for reason in failed.cancellation_reasons if reason is not None}
    return {(failed.cause_response_code or "").removesuffix("Exception")}
