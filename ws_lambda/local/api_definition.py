"""An API as `apigatewayv2` would describe it: routes, integrations, one stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ws_lambda.local.upgrade import Upgrade

MAX_ROUTES = 300
"""Routes per API, a quota of the service."""

Event = dict[str, Any]
"""A Lambda proxy event, as JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What an integration said."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


class Integration(Protocol):
    """The backend of a route."""

    async def call(self, event: Event) -> Answer:
        """Calls the backend with an event.

        Raises:
            ws_lambda.local.errors.IntegrationError: where there is no proper answer.
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
    """What is called."""

    replies: bool = False
    """Whether the route has the route response `$default`; without it no answer's body reaches the client."""

    authorizer: Admission | None = None
    """Asked before `$connect`, the only route that may have one."""

    accepts: Callable[[object], bool] | None = None
    """The request model, as a predicate on the parsed body, like a JSON schema validator's `is_valid`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """A WebSocket API with its one stage."""

    api_id: str
    stage: str
    domain_name: str
    """Host (and port) that clients connect to: the generated one, or a custom domain."""

    mapping: str | None = None
    """The path that a custom domain maps to the stage, "" for all of it. None: there is no custom domain."""

    routes: Mapping[str, Route]
    route_selection_expression: str = "$request.body.action"
    stage_variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """What clients connect to, and what `/@connections` follows: "/<stage>", or a custom domain's mapped path."""
        mapped = self.stage if self.mapping is None else self.mapping
        return f"/{mapped}" if mapped else ""

    def __post_init__(self) -> None:
        if len(self.routes) > MAX_ROUTES:
            raise ValueError(f"An API has at most {MAX_ROUTES} routes, not {len(self.routes)}.")
