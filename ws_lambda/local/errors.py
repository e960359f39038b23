"""What can go wrong between the gateway and what it calls.

GatewayError
├── NoRoute                  no route key matches, and there is no `$default`
├── BadRequestBody           the body does not fit the route's request model
├── Throttled                over a quota
└── IntegrationError         the integration did not answer properly
    ├── IntegrationTimedOut
    └── IntegrationThrottled
"""

from typing import ClassVar


class GatewayError(Exception):
    """Internal server error"""

    status: ClassVar[int] = 500
    """What a client sees of it while connecting."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)
        self.why = why
        """For the person at this machine; never sent to a client."""

    @property
    def message(self) -> str:
        """What an error frame says."""
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
