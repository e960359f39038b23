"""Runs functions that an event asks for by name, but only if the deployment has named them.

A scheduled event names a function in its rule's name, an SNS message or an S3 notification in its text. Without this
check, anyone who can write one could run any function. The deployment names functions in `events` of
`zappa_settings.json`, which the deploy hook packs, and in EVENT_FUNCTIONS. Our own two are always named.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Any, Final

from django.utils.module_loading import import_string

from ws_lambda.conf import conf
from ws_lambda.sources import packed_settings

if sys.version_info >= (3, 14):
    from annotationlib import Format

OURS: Final = frozenset({"ws_lambda.housekeeping.prune", "ws_lambda.fanout.handle"})


def named() -> frozenset[str]:
    """Returns the dotted paths of all functions that the deployment has named."""
    return OURS.union(conf.EVENT_FUNCTIONS, packed_settings.event_functions())


def demand(name: str) -> None:
    """Checks that the deployment has named a function.

    Raises:
        PermissionError: it has not.
    """
    if name not in named():
        raise PermissionError(
            f"The event asks for the function {name!r}, which the deployment has not named. "
            "Add it to EVENT_FUNCTIONS in WS_LAMBDA or to events in zappa_settings.json, and deploy again."
        )


def run(name: str, event: Any, context: Any) -> Any:
    """Runs a named function and returns its result.

    Args:
        name: the dotted path of the function.
        event: the function's first argument, if it takes one.
        context: the function's second argument, if it takes two.

    Raises:
        PermissionError: the deployment has not named the function.
        ImportError: the function does not exist.
    """
    demand(name)
    return call_once(import_string(name), event, context)


def call_once(function: Callable[..., Any], event: Any, context: Any) -> Any:
    """Calls a function with as many of (event, context) as it takes.

    It replaces Zappa's `run_function`, which tries fewer arguments after any TypeError. There, a function that raises
    a TypeError itself runs two or three times.
    """
    arguments = [event, context]
    try:
        parameters = _signature(function).parameters.values()
    except (TypeError, ValueError):
        return function(*arguments)
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return function(*arguments)
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return function(*arguments[: len(positional)])


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature, with its annotations unread: in Python 3.14 they may name what only a type checker imports."""
    if sys.version_info >= (3, 14):
        return inspect.signature(function, annotation_format=Format.STRING)
    return inspect.signature(function)
