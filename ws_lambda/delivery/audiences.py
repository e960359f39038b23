"""The audience of a message. A channel and everyone are only named here; the sender reads who they are."""

from collections.abc import Iterable
from dataclasses import dataclass

from ws_lambda.delivery.outcomes import Recipient


@dataclass(frozen=True, slots=True)
class ChannelMembers:
    """The members of one channel."""

    name: str


@dataclass(frozen=True, slots=True)
class Everyone:
    """Every open connection."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Exactly these connections. An iterator is read once, while its recipients are sent to."""

    recipients: Iterable[Recipient]


Audience = ChannelMembers | Everyone | Listed
