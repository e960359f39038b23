"""Notes the requests that the package makes to DynamoDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ws_lambda import aws

EVENT = "before-call.dynamodb"

_seen: list[list[str]] = [[]]
"""One list for each block, the innermost last. The first one is for the time outside of all blocks."""


@contextmanager
def noting_requests() -> Iterator[list[str]]:
    """The DynamoDB operations that are requested in a `with` block. Clients must be created in the block.

    A request that botocore repeats is noted once.
    """
    events = aws.session().get_component("event_emitter")
    events.register_first(EVENT, _note)
    _seen.append([])
    try:
        yield _seen[-1]
    finally:
        _seen.pop()
        events.unregister(EVENT, _note)


def noted() -> list[str]:
    """The list of the innermost `noting_requests`."""
    return _seen[-1]


def _note(model: Any, **_kwargs: object) -> None:
    if len(_seen) > 1:
        _seen[-1].append(model.name)
