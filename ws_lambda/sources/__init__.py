"""The sources of events: one module for each kind of event that the function answers.

A source is a module with the two functions of `Source`. To add one, write the module and add it to `SOURCES` in
`ws_lambda/lambda_handler.py`.

All sources are imported before the first event. To keep cold starts short, a source imports in `answer` what only its
own events need.
"""

from collections.abc import Mapping
from typing import Any, Protocol


class Source(Protocol):
    """One kind of event. A module with these two functions is a source."""

    def recognises(self, event: Mapping[str, Any], /) -> bool:
        """Whether the event is of this kind. Called if no source before this one recognises the event."""

    def answer(self, event: dict[str, Any], context: Any, /) -> Any:
        """Returns the answer of the invocation. Called only for events that `recognises` accepts.

        The handler has set the deadline for sending: `delivery.seconds_left` tells how much time is left.
        """
