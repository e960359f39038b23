"""Events for a Lambda authorizer of type REQUEST. The function refuses them, because it is not an authorizer.

They look like the event that is to be authorized. Zappa would take one from a WebSocket API for a CONNECT. One from an
HTTP API would run a request that is not authorized yet.
"""

from collections.abc import Mapping
from typing import Any


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether API Gateway asks for an authorizer's decision, for a WebSocket, REST or HTTP API."""
    return event.get("type") == "REQUEST" and ("methodArn" in event or "routeArn" in event)


def answer(_event: dict[str, Any], _context: Any) -> Any:
    """Refuses the event.

    Raises:
        PermissionError: always. API Gateway answers 401 if the message is exactly "Unauthorized".
    """
    raise PermissionError("Unauthorized")
