"""Every error that this package raises, and its meaning.

WsLambdaError
├── EventError                 an AWS event that lacks something, or that nobody handles
│   └── UnknownEvent           an AWS event that no source recognises
├── CommandFailed              a command to the function that is unknown, not allowed or has failed
├── Refused                    a connect or message that is refused: status, message, reason
│   ├── UntrustedRequest       403
│   ├── OriginRefused          403
│   ├── HostRefused            403
│   ├── PermissionRefused      403
│   ├── TokenRefused           401
│   ├── InvalidConnectionId    400
│   ├── InvalidChannel         400
│   ├── TooManyChannels        400
│   ├── InvalidRequest         400
│   ├── HandlerMissing         400
│   ├── BodyTooLarge           413
│   ├── DuplicateConnection    409
│   └── RateLimited            429
│       └── TooManyOpen        429
├── SessionTooLarge            a Django session that no DynamoDB item can hold
├── DeliveryError              a message or a row that could not be sent, read or stored
│   └── NotOpenYet             a send to a connection from inside its own `connect`
└── ProvisioningError          AWS refused, or the record is not ready for the operation
"""

from typing import ClassVar, Final, Self

EVENT_SOURCES: Final = frozenset({"aws:dynamodb", "aws:kinesis", "aws:s3", "aws:sns", "aws:sqs"})
"""The constants by which AWS names the service that records come from. An error may quote these."""


class WsLambdaError(Exception):
    """The base of all errors of this package. The first line of the docstring is the default message."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class EventError(WsLambdaError):
    """The event is not an API Gateway WebSocket event."""


class UnknownEvent(EventError):
    """The function does not know this kind of event."""

    @classmethod
    def of(cls, event: object) -> Self:
        """Returns the error for an event.

        It names the event's keys and the AWS service that its records come from. It names no other value, because
        values may be secret.
        """
        what = f"the keys {', '.join(sorted(map(str, event)))}" if isinstance(event, dict) and event else "no keys"
        service = _service(event)
        if not service:
            return cls(
                f"No source recognises this event, which has {what}. The function answers WebSocket and HTTP events, "
                "the fan-out queue, schedules and commands. Events for Zappa need a package that `zappa deploy` built."
            )
        queue = " Other packages answer only the queue in FANOUT_QUEUE_URL." if service == "aws:sqs" else ""
        return cls(
            f"No source recognises this event, which has {what} and comes from {service}. "
            f"Only a package that `zappa deploy` built answers these.{queue}"
        )


def _service(event: object) -> str:
    """Returns the AWS service that the first record of an event comes from, or ""."""
    records = event.get("Records") if isinstance(event, dict) else None
    first = records[0] if isinstance(records, list) and records else None
    if not isinstance(first, dict):
        return ""
    named = first.get("eventSource", first.get("EventSource"))
    return named if isinstance(named, str) and named in EVENT_SOURCES else ""


class CommandFailed(WsLambdaError):
    """The command to the function is unknown, is not allowed or has failed."""


class Refused(WsLambdaError):
    """The request is refused."""

    status: ClassVar[int] = 400
    """The HTTP status of the answer."""

    hook: ClassVar[str] = "invalid_request"
    """The name of the `WebSocketView` method that makes the answer; a subclass may override it."""

    @property
    def message(self) -> str:
        """The text for the client. It never contains a secret or a list of allowed values."""
        return str(self)


class UntrustedRequest(Refused):
    """Forbidden"""

    status = 403
    hook = "untrusted_request"


class OriginRefused(Refused):
    """Origin not allowed"""

    status = 403
    hook = "origin_refused"


class HostRefused(Refused):
    """Host not allowed"""

    status = 403
    hook = "host_refused"


class PermissionRefused(Refused):
    """Permission Denied"""

    status = 403
    hook = "permission_denied"


class TokenRefused(Refused):
    """A valid WebSocket token is needed: request a new one and connect again"""

    status = 401
    hook = "token_refused"


class InvalidConnectionId(Refused):
    """Invalid connection ID"""

    hook = "session_not_found"


class InvalidChannel(Refused):
    """Invalid channel"""

    hook = "invalid_channel"


class TooManyChannels(Refused):
    """Too many channels: leave one, then join another"""

    hook = "too_many_channels"


class InvalidRequest(Refused):
    """Invalid request format"""

    hook = "invalid_request"
    action: str = ""
    """The unknown action that the client asked for. Like all of a body, it belongs in no log of a production site."""

    def __init__(self, message: str = "", *, action: object = "") -> None:
        super().__init__(message)
        self.action = action if isinstance(action, str) else ""


class HandlerMissing(Refused):
    """Invalid request format"""

    hook = "handler_selection_key_missing"


class BodyTooLarge(Refused):
    """Message too large"""

    status = 413
    hook = "body_too_large"


class DuplicateConnection(Refused):
    """This connection is already open"""

    status = 409
    hook = "duplicate_connection"


class RateLimited(Refused):
    """Too many attempts: wait a minute, then try again"""

    status = 429
    hook = "rate_limited"


class TooManyOpen(RateLimited):
    """Too many connections are open: close one, then try again"""


class SessionTooLarge(WsLambdaError):
    """The Django session is larger than a DynamoDB item."""


class DeliveryError(WsLambdaError):
    """The message could not be sent."""


class NotOpenYet(DeliveryError):
    """The connection opens when its `connect` has returned: answer the client's first message instead"""


class ProvisioningError(WsLambdaError):
    """The gateway could not be provisioned."""
