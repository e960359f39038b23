"""Commands to the function: `{"ws_lambda": "prune"}` and `{"manage": "ws_prune --dry-run"}`.

Any scheduler sends them as its input, and so does whoever invokes the function directly. An event carries them at its
top level, where no service of AWS puts text that somebody else wrote: the right to send a command is the right to
invoke the function.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ws_lambda.exceptions import CommandFailed


def _prune(event: dict[str, Any], context: Any) -> dict[str, Any]:
    from ws_lambda.housekeeping import prune

    return prune(event, context)


COMMANDS: Final[Mapping[str, Callable[[dict[str, Any], Any], Any]]] = {"prune": _prune}
"""Name → what it runs, with the event and Lambda's context. What it returns is the function's answer."""


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether the event is a command of ours, a management command, or code to execute."""
    return not event.keys().isdisjoint(("ws_lambda", "manage", "raw_command"))


def answer(event: dict[str, Any], context: Any) -> Any:
    """Runs the command.

    Returns:
        What the command returns; for a management command `{"output": ...}`.

    Raises:
        CommandFailed: the command is unknown or has failed.
        PermissionError: for Zappa's `raw_command`, which would execute any code that it carries.
    """
    if "raw_command" in event:
        raise PermissionError("raw_command is refused: put the code into a management command and use zappa manage.")
    if "manage" in event:
        from ws_lambda.sources import management_command

        return {"output": management_command.run(event["manage"])}
    name = event["ws_lambda"]
    if not isinstance(name, str) or name not in COMMANDS:
        raise CommandFailed(f"There is no command {name!r}. Known commands: {', '.join(sorted(COMMANDS))}.")
    return COMMANDS[name](event, context)
