"""Scheduled events without an input, from an EventBridge rule or from EventBridge Scheduler.

Zappa puts the function that a rule is for at the end of the rule's name. Other schedules have an input that says what
to do, such as `{"ws_lambda": "prune"}`. `commands` answers those.
"""

import logging
from collections.abc import Mapping
from typing import Any

from ws_lambda.sources import named_functions

KEEP_WARM = "keep_warm_callback"
"""The name of the function that Zappa schedules if `keep_warm` is on. The invocation itself is the purpose."""

_log = logging.getLogger("ws_lambda")


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether the event is a scheduled event of AWS. Other senders cannot use a `source` that begins with `aws.`."""
    return event.get("detail-type") == "Scheduled Event" and str(event.get("source", "aws.")).startswith("aws.")


def answer(event: dict[str, Any], context: Any) -> Any:
    """Runs the function at the end of the rule's name. Without one it runs nothing, and logs a warning.

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
    """Returns the dotted path at the end of the rule's name, or ""."""
    resources = event.get("resources") or [""]
    name = str(resources[0]).rpartition("/")[2].rpartition("-")[2]
    return name if "." in name else ""
