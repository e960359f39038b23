"""The environment variables and the policy of the deployed function.

`zappa_settings.json` and the policy file may contain placeholders for values that are known only at deploy time:
`${AccountId}`, `${Region}`, `${Partition}`, `${Stage}`, `${FunctionName}`, `${WebSocketApiId}`, every variable of the
function's environment, `${env:NAME}` for a variable of the deploying shell, and `${random}` for a secret that the first
deploy makes.
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
    """A placeholder without a value."""


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """A value with all placeholders replaced, also in nested lists and mappings.

    Raises:
        UnknownPlaceholder: a placeholder has no value.
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
        f"{placeholder} is unknown. Known are {', '.join(sorted(known))}, and env:NAME for a variable of your shell."
    )


def environment(
    wanted: Mapping[str, Any], deployed: Mapping[str, str] | None, known: Mapping[str, str]
) -> dict[str, str]:
    """The function's environment variables.

    Args:
        wanted: the variables in the settings of the stage.
        deployed: the variables of the deployed function; None on the first deploy. A variable that the settings give
            as `${random}`, or as a shell variable that is not set, keeps its deployed value.
        known: the values of placeholders.

    Raises:
        UnknownPlaceholder: a placeholder has no value.
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
        UnknownPlaceholder: a placeholder has no value.
        ProvisioningError: a statement grants actions with a wildcard.
    """
    document = filled(json.loads(text), known)
    for statement in document["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        if any("*" in action for action in actions):
            raise ProvisioningError(
                f"{statement.get('Sid', 'A statement')} of the policy grants {actions}. List single actions instead."
            )
    return json.dumps(document)


def without_zappas_grant(extra_permissions: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Zappa's additional permissions, without its grant for every WebSocket API of the account."""
    return [one for one in extra_permissions or [] if one.get("Action") != ["execute-api:ManageConnections"]]
