"""The last messages of channels, in one gap-free sequence each."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from ws_lambda import channels, clock
from ws_lambda.delivery.deadlines import ends_at
from ws_lambda.exceptions import DeliveryError
from ws_lambda.models import history, own_work
from ws_lambda.models.attributes import MillisecondsAttribute, PayloadAttribute
from ws_lambda.models.base import Table, TableMeta, condition_failed
from ws_lambda.models.history import SPARE, Resume, history_of
from ws_lambda.models.numbering import take_number

_ATTEMPTS = 5
"""A writer whose number was buried is seconds late. One that is late this often is told so."""


class ChannelMessage(Table):
    """One message of a channel that HISTORY keeps.

    A writer takes the channel's next number from a counter, then stores the message under it: two requests, however
    many write at once. In between, and for as long as it is slow, later numbers are there and this one is not. A reader
    waits for it; after `history.PATIENCE` seconds the reader buries the number, by a row that says so, and a writer who
    comes even later takes a new one. So whoever has read beyond a number never sees a message appear under it.

    Without faults numbers are contiguous. A buried number is no gap to those who read later; the reader who buries it
    says `recovered=False`, for it cannot know whether a message was ever there.
    """

    class Meta(metaclass=TableMeta):
        name = "messages"

    channel_name = UnicodeAttribute(hash_key=True)
    sequence = NumberAttribute(range_key=True)
    payload = PayloadAttribute()
    sender = UnicodeAttribute(default="")
    sent_at = MillisecondsAttribute()
    written_by = UnicodeAttribute(null=True)
    """What its writer knows it by."""

    buried = BooleanAttribute(null=True)
    """There is no message under this number, and there never will be."""

    expires_at = TTLAttribute()

    @classmethod
    def append(cls, channel_name: str, payload: Mapping[str, Any], *, sender: str = "") -> "ChannelMessage":
        """Stores a message durably and returns it with its number: two requests, however many write at once.

        Raises:
            InvalidChannel: it is no channel name, such as that of a connection in no channel.
            ValueError: HISTORY keeps nothing of this channel, or the payload has a NaN.
            TypeError: the payload has a type that Django's JSON encoder does not know.
            DeliveryError: `delivery.deadline` has passed, or storing was too slow for the readers again and again.
                Nothing is stored.
        """
        channels.check_name(channel_name)
        _length, seconds = history_of(channel_name)
        if seconds <= 0:
            raise ValueError(f"HISTORY keeps no messages of {channel_name!r}: add it to WS_LAMBDA['HISTORY'].")
        now = clock.utcnow()
        message = cls(
            channel_name,
            payload=dict(payload),
            sender=sender,
            sent_at=now,
            written_by=own_work.mark(),
            expires_at=now + timedelta(seconds=seconds) + SPARE,
        )
        PayloadAttribute().serialize(message.payload)  # before a number is taken for what cannot be stored
        for _attempt in range(_ATTEMPTS):
            if time.monotonic() >= ends_at():
                raise DeliveryError("Out of time: the message is not stored")
            message.sequence = take_number(cls, channel_name, now, message.expires_at)
            if message.store():
                return message
        raise DeliveryError("Storing the message was too slow: it is not stored")

    def store(self) -> bool:
        """Stores the row under its number; False if there is one already, such as that of a reader who buried it."""
        try:
            self.save(condition=ChannelMessage.sequence.does_not_exist())
        except PutError as refused:
            if not condition_failed(refused):
                raise
            return False
        return True

    @classmethod
    def recent(cls, channel_name: str) -> "list[ChannelMessage]":
        """The newest messages, oldest first, as many as HISTORY replays."""
        return history.recent(cls, channel_name)

    @classmethod
    def since(cls, channel_name: str, sequence: int) -> Resume:
        """What came after a number that a client has seen."""
        return history.since(cls, channel_name, sequence)

    @classmethod
    def newest_first(
        cls, channel_name: str, limit: int, floor: int = 1, top: int | None = None
    ) -> "list[ChannelMessage]":
        """The newest rows from one number to another, buried ones too, in one consistent read."""
        numbers = cls.sequence >= floor if top is None else cls.sequence.between(floor, top)
        return list(cls.query(channel_name, numbers, scan_index_forward=False, limit=limit, consistent_read=True))
