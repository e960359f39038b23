"""Functions that an event may name, and the running of them.

Some events carry the name of the function that they want: a scheduled event in its rule's name, an SNS message and an
S3 notification in their text. Whoever may write those could otherwise run any function there is. So an event of these
kinds runs only what the deployment has named: functions of `events` in `zappa_settings.json`, which the deploy hook
packs, those of EVENT_FUNCTIONS, and our own.
"""

import inspect
from collections.abc import Callable
from typing import Any, Final

from django.utils.module_loading import import_string

from ws_lambda.conf import conf
from ws_lambda.sources import packed_settings

OURS: Final = frozenset({"ws_lambda.housekeeping.prune", "ws_lambda.fanout.handle"})


def named() -> frozenset[str]:
    """The dotted paths of all functions that the deployment has named."""
    return OURS.union(conf.EVENT_FUNCTIONS, packed_settings.event_functions())


def demand(name: str) -> None:
    """Lets only a named function pass.

    Raises:
        PermissionError: the deployment has not named it.
    """
    if name not in named():
        raise PermissionError(
            f"The event asks for {name!r}, which the deployment has not named. "
            "Add it to EVENT_FUNCTIONS in WS_LAMBDA, or to the events in zappa_settings.json, and deploy again."
        )


def run(name: str, event: Any, context: Any) -> Any:
    """Runs a named function; returns what it returns.

    Args:
        name: the dotted path.
        event: passed to the function, as far as it takes arguments.
        context: likewise.

    Raises:
        PermissionError: the deployment has not named it.
        ImportError: there is no such function.
    """
    demand(name)
    return call_once(import_string(name), event, context)


def call_once(function: Callable[..., Any], event: Any, context: Any) -> Any:
    """Calls a function with as many of (event, context) as it takes.

    In place of Zappa's `run_function`, which tries and takes any TypeError for a wrong number of arguments, so
    that a function which raises one runs two or three times.
    """
    arguments = [event, context]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function(*arguments)
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return function(*arguments)
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return function(*arguments[: len(positional)])
