"""Whom a message is for. The members of a channel, or everyone, are named instead of listed: the sender reads them."""

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
