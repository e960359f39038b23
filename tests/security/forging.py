"""Events that API Gateway would not send: it replaces some headers of a client, and an attacker gets past that."""

from typing import Any


def forged(event: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """The event, with these headers exactly as they are given."""
    event["headers"] |= headers
    return event
