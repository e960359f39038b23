"""The last messages of channels, in one gap-free sequence each."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ws_lambda import channels, clock
from ws_lambda.deadlines import ends_at
from ws_lambda.exceptions import DeliveryError
from ws_lambda.models import history
from ws_lambda.models.history import SPARE, Resume, history_of, store
from ws_lambda.models.numbering import take_number
from ws_lambda.tables import idempotency
from ws_lambda.tables.attributes import PayloadAttribute
from ws_lambda.tables.messages import MessageRow

_ATTEMPTS = 5
"""A writer whose number was buried is seconds late. One that is late this often is told so."""


class ChannelMessage(MessageRow):
    """One message of a channel that HISTORY keeps.

    A writer takes the channel's next number from a counter, then stores the message under it: two requests, however
    many write at once. In between, and for as long as it is slow, later numbers are there and this one is not. A reader
    waits for it; after `history.PATIENCE` seconds the reader buries the number, by a row that says so, and a writer who
    comes even later takes a new one. So whoever has read beyond a number never sees a message appear under it.

    Without faults numbers are contiguous. A buried number is no gap to those who read later; the reader who buries it
    says `recovered=False`, for it cannot know whether a message was ever there.
    """

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
            written_by=idempotency.mark(),
            expires_at=now + timedelta(seconds=seconds) + SPARE,
        )
        PayloadAttribute().serialize(message.payload)  # before a number is taken for what cannot be stored
        for _attempt in range(_ATTEMPTS):
            if time.monotonic() >= ends_at():
                raise DeliveryError("Out of time: the message is not stored")
            message.sequence = take_number(channel_name, now, message.expires_at)
            if store(message):
                return message
        raise DeliveryError("Storing the message was too slow: it is not stored")

    @classmethod
    def recent(cls, channel_name: str) -> "list[ChannelMessage]":
        """The newest messages, oldest first, as many as HISTORY replays."""
        return history.recent(cls, channel_name)

    @classmethod
    def since(cls, channel_name: str, sequence: int) -> "Resume[ChannelMessage]":
        """What came after a number that a client has seen."""
        return history.since(cls, channel_name, sequence)
