"""Commands to the function: `{"ws_lambda": "prune"}` and `{"manage": "ws_prune --dry-run"}`.

They come from a scheduler, as its input, or from a direct invocation. A command is at the top level of the event, where
AWS services never put text that other people wrote. So only those who may invoke the function can send one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ws_lambda.exceptions import CommandFailed


def _prune(event: dict[str, Any], context: Any) -> dict[str, Any]:
    from ws_lambda.housekeeping import prune

    return prune(event, context)


COMMANDS: Final[Mapping[str, Callable[[dict[str, Any], Any], Any]]] = {"prune": _prune}
"""Command name → function. It gets the event and Lambda's context, and returns the answer of the invocation."""


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether the event is one of our commands, a management command, or Zappa's `raw_command`."""
    return not event.keys().isdisjoint(("ws_lambda", "manage", "raw_command"))


def answer(event: dict[str, Any], context: Any) -> Any:
    """Runs the command.

    Returns:
        The command's own result. For a management command, `{"output": ...}`.

    Raises:
        CommandFailed: the command is unknown or has failed.
        PermissionError: the event is a `raw_command`, which would execute any code in the event.
    """
    if "raw_command" in event:
        raise PermissionError("raw_command is refused: write a management command and run it with zappa manage.")
    if "manage" in event:
        from ws_lambda.sources import management_command

        return {"output": management_command.run(event["manage"])}
    name = event["ws_lambda"]
    if not isinstance(name, str) or name not in COMMANDS:
        raise CommandFailed(f"Unknown command {name!r}. Known commands: {', '.join(sorted(COMMANDS))}.")
    return COMMANDS[name](event, context)
