"""Events of a Lambda authorizer of type REQUEST, which the function refuses: it is no authorizer.

They look like the events that they ask about. Zappa would take one of a WebSocket API for a CONNECT; one of an HTTP
API would run a request that nobody has authorized yet.
"""

from collections.abc import Mapping
from typing import Any


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether API Gateway asks for a decision, about a WebSocket, REST or HTTP API."""
    return event.get("type") == "REQUEST" and ("methodArn" in event or "routeArn" in event)


def answer(_event: dict[str, Any], _context: Any) -> Any:
    """Refuses.

    Raises:
        PermissionError: always. API Gateway makes 401 of exactly this word.
    """
    raise PermissionError("Unauthorized")
