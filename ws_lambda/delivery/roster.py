"""Who is to be sent to: the open connections of a channel, or all of them.

    for recipient in roster.members("general"): ...

A room of up to a page is one query. A bigger one is read by key ranges in parallel, ahead of the sender but no more
than a few pages, so memory stays the same for a hundred members and a hundred thousand.
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
"""Queries at once. One sends some 30,000 members a second, more than can be sent to."""


def members(channel: str) -> Iterator[Recipient]:
    """The members of a channel, in no particular order.

    Raises:
        DeliveryError: DynamoDB refused the read, or a deadline came before its end.
    """
    return settled(everyone_in(parts_of(ChannelMembers(channel))))


def everyone() -> Iterator[Recipient]:
    """Every open connection, in no particular order. Raises what `members` does."""
    return settled(everyone_in(parts_of(Everyone())))


def parts_of(audience: ChannelMembers | Everyone) -> list[KeyRange]:
    """The partitions that hold an audience, whole."""
    if isinstance(audience, ChannelMembers):
        return [KeyRange("channel", key) for key in channels.shard_keys(audience.name)]
    return [KeyRange("live", shard) for shard in LIVE_SHARDS]


def everyone_in(parts: list[KeyRange], first: int = 0) -> Iterator[Recipient | None]:
    """Everyone in these parts, cut smaller where they are big. None means "not yet".

    Args:
        first: how many to read of each part before seeing whether it is big; 0 for a page.
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
    """Everyone in one part, in the order of its keys, so that `part.resumed(last)` is what is left."""
    if installed() is not None:
        return _by_client([part])
    return reading.stream([part])


def page(part: KeyRange, limit: int) -> tuple[list[Recipient], KeyRange | None]:
    """The first recipients of a part, and what is left of it: for walks that stop and are taken up again.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: DynamoDB refused the read, or could not be reached.
    """
    answer = aws.client("dynamodb").query(**query(part, limit))
    found = recipients_in(answer, {})
    return found, part.resumed(found[-1]) if "LastEvaluatedKey" in answer else None


def divided(part: KeyRange, pieces: int, first: str = "") -> list[KeyRange]:
    """A part in so many pieces, evenly between its first key and the last one there is now. The end stays open.

    Only a channel's roster can be divided: the index of everyone is ordered by time, and comes in shards.
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
    """The last recipient of a whole partition."""
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
    """The same, waiting out every "not yet"."""
    for recipient in recipients:
        if recipient is None:
            time.sleep(0.002)
        else:
            yield recipient
