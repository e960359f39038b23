"""What the deployed function is given: its environment and its rights.

`${Name}` in `zappa_settings.json` and in the policy file stands for what is known at deploy time only:
AccountId, Region, Partition, Stage, FunctionName, WebSocketApiId, every variable of the function's own
environment, `${env:NAME}` for the deploying shell's, and `${random}` for a secret made on the first deploy.
"""

import json
import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

from ws_lambda.exceptions import ProvisioningError

_PLACEHOLDER = re.compile(r"\$\{(env:)?(\w+)\}")


class UnknownPlaceholder(ProvisioningError):
    """A placeholder that nothing is known for."""


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """A settings value with its placeholders replaced, however deep.

    Raises:
        UnknownPlaceholder: for a placeholder that is not known.
    """
    if isinstance(value, Mapping):
        return {key: filled(part, known) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, known) for part in value]
    if not isinstance(value, str):
        return value
    return _PLACEHOLDER.sub(lambda match: _look_up(match[0], bool(match[1]), match[2], known), value)


def _look_up(placeholder: str, of_shell: bool, name: str, known: Mapping[str, str]) -> str:
    if of_shell:
        if name in os.environ:
            return os.environ[name]
        raise UnknownPlaceholder(f"{placeholder}: set {name} in the environment that you deploy from.")
    if name in known:
        return known[name]
    raise UnknownPlaceholder(
        f"{placeholder} is unknown. Known are {', '.join(sorted(known))}, and env:NAME for your shell's."
    )


def environment(
    wanted: Mapping[str, Any], deployed: Mapping[str, str] | None, known: Mapping[str, str]
) -> dict[str, str]:
    """The function's environment variables.

    Args:
        wanted: as the stage has them.
        deployed: those of the function that is there already; None on the first deploy. What the stage leaves to
            `${random}` or to a shell variable that is not set stays as deployed.
        known: what placeholders stand for.

    Raises:
        UnknownPlaceholder: for a placeholder that nothing is known for.
    """
    found: dict[str, str] = {}
    for name, value in wanted.items():
        if value == "${random}":
            found[name] = (deployed or {}).get(name) or secrets.token_urlsafe(48)
            continue
        try:
            found[name] = str(filled(value, {**known, **found}))
        except UnknownPlaceholder:
            if not deployed or name not in deployed:
                raise
            found[name] = deployed[name]
    return found


def policy(text: str, known: Mapping[str, str]) -> str:
    """The policy of the function's role, from its file.

    Raises:
        UnknownPlaceholder: for a placeholder that is not known.
        ProvisioningError: if a statement grants a right to everything.
    """
    document = filled(json.loads(text), known)
    for statement in document["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        if any("*" in action for action in actions):
            raise ProvisioningError(
                f"{statement.get('Sid', 'A statement')} of the policy grants {actions}: name the actions."
            )
    return json.dumps(document)


def without_zappas_grant(extra_permissions: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Zappa's additional permissions, less the right to every WebSocket API of the account that it puts there."""
    return [one for one in extra_permissions or [] if one.get("Action") != ["execute-api:ManageConnections"]]
