"""Errors of the gateway and its integrations.

GatewayError
├── NoRoute                  no route key matches, and there is no `$default` route
├── BadRequestBody           the body does not fit the route's request model
├── Throttled                a quota is exceeded
└── IntegrationError         the integration gave no valid answer
    ├── IntegrationTimedOut
    └── IntegrationThrottled
"""

from typing import ClassVar


class GatewayError(Exception):
    """Internal server error"""

    status: ClassVar[int] = 500
    """The HTTP status that a connecting client gets."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why
        """The cause, for the developer. Never sent to a client."""

    @property
    def message(self) -> str:
        """The message of the error frame."""
        return (type(self).__doc__ or "").partition("\n")[0]


class NoRoute(GatewayError):
    """Forbidden"""

    status = 403


class BadRequestBody(GatewayError):
    """Bad request body"""

    status = 400


class Throttled(GatewayError):
    """Too Many Requests"""

    status = 429


class IntegrationError(GatewayError):
    """Internal server error"""

    status = 502


class IntegrationTimedOut(IntegrationError):
    """Endpoint request timed out"""

    status = 504


class IntegrationThrottled(IntegrationError):
    """Internal server error"""

    status = 429
