"""The definition of an API, as `apigatewayv2` describes it: routes, integrations, one stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ws_lambda.local.upgrade import Upgrade

MAX_ROUTES = 300
"""A quota of the service."""

Event = dict[str, Any]
"""A Lambda proxy event, as JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The answer of an integration."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def header(self, name: str) -> str | None:
        """The value of a header. The name is case-insensitive."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


class Integration(Protocol):
    """The backend of a route."""

    async def call(self, event: Event) -> Answer:
        """Calls the backend with an event.

        Raises:
            ws_lambda.local.errors.IntegrationError: there is no valid answer.
        """
        ...


class Admission(Protocol):
    """What decides who may connect; see `authorizer.Authorizer`."""

    async def admit(self, upgrade: Upgrade, event: Event) -> dict[str, Any]:
        """The `authorizer` part of the request context.

        Raises:
            ws_lambda.local.errors.GatewayError: the client may not connect.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A route of the API."""

    integration: Integration
    """The backend that is called."""

    replies: bool = False
    """Whether the route has the route response `$default`. Without it, no body of an answer reaches the client."""

    authorizer: Admission | None = None
    """Called before `$connect`, the only route that may have one."""

    accepts: Callable[[object], bool] | None = None
    """The request model, as a predicate on the parsed body, like a JSON schema validator's `is_valid`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """A WebSocket API with its one stage."""

    api_id: str
    stage: str
    domain_name: str
    """The host (and port) that clients connect to: the generated name, or a custom domain."""

    mapping: str | None = None
    """The path that a custom domain maps to the stage, "" for the whole domain; None without a custom domain."""

    routes: Mapping[str, Route]
    route_selection_expression: str = "$request.body.action"
    stage_variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path of the API, which `/@connections` is below: "/<stage>", or the mapped path of a custom domain."""
        mapped = self.stage if self.mapping is None else self.mapping
        return f"/{mapped}" if mapped else ""

    def __post_init__(self) -> None:
        if len(self.routes) > MAX_ROUTES:
            raise ValueError(f"An API has at most {MAX_ROUTES} routes, not {len(self.routes)}.")
