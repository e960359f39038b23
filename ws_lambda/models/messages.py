"""The last messages of channels, numbered without gaps."""

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
"""A writer whose number was abandoned is seconds late. After this many times it gets an error."""


class ChannelMessage(MessageRow):
    """One message of a channel that HISTORY keeps.

    A writer takes the channel's next number from a counter, then stores the message under it: two requests, however
    many write at the same time. In between, later numbers may be stored while this one is still missing. A reader waits
    for it. After `history.PATIENCE` seconds the reader abandons the number, by storing a row that says so, and a writer
    who is even later takes a new number. So no message ever appears below one that was read.

    Without faults numbers are contiguous. An abandoned number is not a gap for later readers. The reader who abandons
    it returns `recovered=False`, because it cannot know whether there was a message.
    """

    @classmethod
    def append(cls, channel_name: str, payload: Mapping[str, Any], *, sender: str = "") -> "ChannelMessage":
        """Stores a message durably and returns it with its number: two requests, however many write at the same time.

        Raises:
            InvalidChannel: it is not a valid channel name, such as the "" of a connection in no channel.
            ValueError: HISTORY does not cover this channel, or the payload contains NaN.
            TypeError: Django's JSON encoder cannot encode the payload.
            DeliveryError: `delivery.deadline` has passed, or storing was repeatedly too slow for readers. Nothing is
                stored.
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
        PayloadAttribute().serialize(message.payload)  # fails before a number is taken
        for _attempt in range(_ATTEMPTS):
            if time.monotonic() >= ends_at():
                raise DeliveryError("The deadline has passed: the message is not stored")
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
        """The messages after the last one that a client has seen."""
        return history.since(cls, channel_name, sequence)
