"""The recipients of a message: the open connections of a channel, or all open connections.

    for recipient in roster.members("general"): ...

A channel of up to one page is one query. A bigger one is read by key ranges in parallel, at most a few pages ahead of
the sender, so memory use is the same for a hundred members and a hundred thousand.
"""

import time
from collections.abc import Generator, Iterable, Iterator

from ws_lambda import aws, channels
from ws_lambda.delivery import reading
from ws_lambda.delivery.audiences import ChannelMembers, Everyone
from ws_lambda.delivery.key_ranges import KeyRange, cut
from ws_lambda.delivery.outcomes import Recipient
from ws_lambda.delivery.pumps import installed
from ws_lambda.delivery.roster_queries import query, recipients_in
from ws_lambda.tables.sessions import LIVE_SHARDS

_PARALLEL = 4
"""Queries at once. One query yields some 30,000 members a second, more than can be sent to."""


def members(channel: str) -> Iterator[Recipient]:
    """The members of a channel, in no particular order.

    Raises:
        DeliveryError: DynamoDB refused the read, or the deadline came before its end.
    """
    return settled(everyone_in(parts_of(ChannelMembers(channel))))


def everyone() -> Iterator[Recipient]:
    """Every open connection, in no particular order. Raises the errors of `members`."""
    return settled(everyone_in(parts_of(Everyone())))


def parts_of(audience: ChannelMembers | Everyone) -> list[KeyRange]:
    """The partitions that hold an audience, each as one part."""
    if isinstance(audience, ChannelMembers):
        return [KeyRange("channel", key) for key in channels.shard_keys(audience.name)]
    return [KeyRange("live", shard) for shard in LIVE_SHARDS]


def everyone_in(parts: list[KeyRange], first: int = 0) -> Iterator[Recipient | None]:
    """Everyone in these parts. Big parts are divided. None means "not yet".

    Args:
        first: how many to read of each part to find out whether it is big. 0 means a page.
    """
    if installed() is not None:
        yield from _by_client(parts)
        return
    pages, rest = reading.first_pages(parts, first)
    for some in pages:
        yield from some
    if rest:
        each = max(1, _PARALLEL // len(rest))
        yield from reading.stream([piece for part in rest for piece in divided(part, each)])


def in_order(part: KeyRange) -> Iterator[Recipient | None]:
    """Everyone in one part, in the order of its keys, so that `part.resumed(last)` is the rest."""
    if installed() is not None:
        return _by_client([part])
    return reading.stream([part])


def page(part: KeyRange, limit: int) -> tuple[list[Recipient], KeyRange | None]:
    """The first recipients of a part, and the rest of it: for scans that stop and are resumed later.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: DynamoDB refused the read, or could not be reached.
    """
    answer = aws.client("dynamodb").query(**query(part, limit))
    found = recipients_in(answer, {})
    return found, part.resumed(found[-1]) if "LastEvaluatedKey" in answer else None


def divided(part: KeyRange, pieces: int, first: str = "") -> list[KeyRange]:
    """Divides a part into this many pieces, evenly between its first key and the current last one. The end stays open.

    Only the roster of a channel can be divided. The index of open connections is ordered by time, and has shards.
    """
    if pieces <= 1 or part.kind != "channel":
        return [part]
    last = _last_of(part)
    begin = part.after or first
    if last is None or last.connection_id <= begin:
        return [part]
    marks = [upto for _, upto in cut(begin, last.connection_id, pieces)][:-1]
    ends = zip([part.after, *marks], [*marks, part.upto], strict=True)
    return [KeyRange(part.kind, part.partition, after, upto) for after, upto in ends]


def _last_of(part: KeyRange) -> Recipient | None:
    """The last recipient in a partition, or None if it is empty."""
    whole = KeyRange(part.kind, part.partition)
    if installed() is None:
        return reading.last_of(whole)
    found = recipients_in(aws.client("dynamodb").query(**query(whole, 1, backwards=True)), {})
    return found[0] if found else None


def _by_client(parts: list[KeyRange]) -> Iterator[Recipient]:
    """Everyone in these parts, through botocore: see `pumps.using_transport`."""
    for part in parts:
        left: KeyRange | None = part
        while left is not None:
            found, left = page(left, reading.PAGE)
            yield from found


def settled(recipients: Iterable[Recipient | None]) -> Generator[Recipient]:
    """The recipients without "not yet": waits instead."""
    for recipient in recipients:
        if recipient is None:
            time.sleep(0.002)
        else:
            yield recipient
