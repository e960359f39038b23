"""Removes tokens and cookies from an event before a person, or a screenshot, sees it."""

import re
from typing import Any

HIDDEN = "(hidden)"
_TOKEN = re.compile(r"(ws-token\.)[0-9A-Za-z]+")
_HIDDEN_KEYS = frozenset({"ws_token", "cookie", "authorization"})


def redacted(value: Any) -> Any:
    """A copy without the secrets."""
    if isinstance(value, dict):
        return {key: _hide(one) if key.lower() in _HIDDEN_KEYS else redacted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [redacted(one) for one in value]
    return _TOKEN.sub(rf"\1{HIDDEN}", value) if isinstance(value, str) else value


def _hide(value: Any) -> Any:
    return [HIDDEN] * len(value) if isinstance(value, list) else HIDDEN
