"""WebSocket events of API Gateway: `$connect`, messages and `$disconnect`."""

import logging
from typing import Any

from ws_lambda import adapter, telemetry
from ws_lambda.events import EventType, GatewayEvent
from ws_lambda.exceptions import EventError

recognises = GatewayEvent.recognises

_log = logging.getLogger("ws_lambda")
_COUNTED = {EventType.CONNECT: "Connects", EventType.MESSAGE: "Messages", EventType.DISCONNECT: "Disconnects"}


def answer(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Runs the event through Django. A malformed event is answered 400."""
    try:
        gateway_event = GatewayEvent.from_lambda(event)
    except EventError as wrong:
        _log.warning("%s", wrong)
        return {"statusCode": 400, "body": '{"message": "Invalid request format", "status": 400}'}
    ids = {"connection_id": gateway_event.connection_id, "request_id": gateway_event.request_id}
    with telemetry.invocation(route=gateway_event.route_key, **ids):
        telemetry.count(_COUNTED[gateway_event.type])
        answered = adapter.answer(gateway_event)
        if gateway_event.type is EventType.CONNECT and answered["statusCode"] >= 400:
            # API Gateway's metric IntegrationError counts both, but only failures are worth an alarm.
            telemetry.count("ConnectsRefused" if answered["statusCode"] < 500 else "ConnectsFailed")
        return answered
