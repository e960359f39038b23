"""Scheduled events that carry no input of their own, of an EventBridge rule or of EventBridge Scheduler.

Zappa ends the name of a rule in the function that the rule is for. A schedule that is made in another way says what to
do by its input instead, `{"ws_lambda": "prune"}`, which `commands` answers.
"""

import logging
from collections.abc import Mapping
from typing import Any

from ws_lambda.sources import named_functions

KEEP_WARM = "keep_warm_callback"
"""The last part of the function that Zappa schedules where `keep_warm` is on. Being invoked is all that it is for."""

_log = logging.getLogger("ws_lambda")


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether AWS itself says that it is a scheduled event. Others can put events on a bus, but not in AWS's name."""
    return event.get("detail-type") == "Scheduled Event" and str(event.get("source", "aws.")).startswith("aws.")


def answer(event: dict[str, Any], context: Any) -> Any:
    """Runs the function that the rule's name ends in, if there is one.

    Raises:
        PermissionError: the deployment has not named the function.
    """
    name = function_of(event)
    if name.rpartition(".")[2] == KEEP_WARM:
        return None
    if not name:
        message = (
            "This schedule names no function, so nothing was run. "
            'Set the input of its target to {"ws_lambda": "prune"} to have it prune.'
        )
        _log.warning(message)
        return {"message": message}
    return named_functions.run(name, event, context)


def function_of(event: Mapping[str, Any]) -> str:
    """The dotted path that the rule's name ends in, or ""."""
    resources = event.get("resources") or [""]
    name = str(resources[0]).rpartition("/")[2].rpartition("-")[2]
    return name if "." in name else ""
