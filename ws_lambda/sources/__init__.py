"""The kinds of event that the function answers, one module for each.

A source is a module with two functions, as `Source` describes them. To add one, write the module and put it into
`SOURCES` in `ws_lambda/lambda_handler.py`.

All sources are imported in the init phase, before the first event. So a source's module is light, and `answer`
imports what only its own events need.
"""

from collections.abc import Mapping
from typing import Any, Protocol


class Source(Protocol):
    """One kind of event. A module with these two functions is one."""

    def recognises(self, event: Mapping[str, Any], /) -> bool:
        """Whether the event is of this kind. Called for every event that no source before it recognises."""

    def answer(self, event: dict[str, Any], context: Any, /) -> Any:
        """What the function returns for the event. Called only for events that it recognises.

        Sending must end at `delivery.deadline`, which the door has set from the invocation's remaining time.
        """
