"""Who is addressed. A channel or everyone is named, not listed: a big one is read where it is sent from."""

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
    """Exactly these connections. An iterator is read as it is sent to, once."""

    recipients: Iterable[Recipient]


Audience = ChannelMembers | Everyone | Listed
