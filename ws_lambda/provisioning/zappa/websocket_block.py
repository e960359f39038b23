"""The `websocket_api` block of a stage in `zappa_settings.json`, with its validation."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ws_lambda.events import FIXED_ROUTES, ONE_WAY
from ws_lambda.provisioning.access_log import ACCESS_LOG_FORMAT

_ROUTE_KEY = re.compile(r"\$(?:connect|disconnect|default)|[\w./-]{1,128}")


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A custom domain of the WebSocket API."""

    name: str
    certificate_arn: str
    """An ACM certificate in the API's own region."""

    hosted_zone_id: str = ""
    """The Route 53 zone that gets the alias record. Empty: you make the DNS record yourself."""

    mapping: str = ""
    """The path on the domain. Empty: the whole domain."""


@dataclass(frozen=True, kw_only=True)
class WebSocketBlock:
    """The settings of the WebSocket API beyond those that Zappa has."""

    routes: tuple[str, ...] = ()
    """Custom route keys, in addition to `$connect`, `$disconnect` and `$default`."""

    route_responses: tuple[str, ...] | bool = True
    """Routes whose answers go back to the client. True: all but `$connect` and `$disconnect`."""

    route_selection_expression: str = "$request.body.action"

    description: str = "WebSocket API of django-ws-lambda"

    throttling: Mapping[str, float] = field(default_factory=dict)
    """`rate` (events per second) and `burst` of the whole stage. The account's quotas also apply."""

    route_throttling: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The same for single routes: `{"$connect": {"rate": 100, "burst": 200}}`."""

    access_log: Mapping[str, Any] | bool = True
    """False, True, or `{"retention_days": 30, "format": {...}, "destination_arn": "..."}`."""

    detailed_metrics: bool = True
    """Whether CloudWatch has metrics for each route."""

    stage_variables: Mapping[str, str] = field(default_factory=dict)

    domain: Domain | None = None

    adopt: str = ""
    """The id of an existing WebSocket API to use instead of a new one."""

    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, block: Mapping[str, Any]) -> "WebSocketBlock":
        """Reads the block of a settings file.

        Raises:
            ValueError: the block is not valid; the message says why.
        """
        _refuse_unknown("websocket_api", block, _names(cls))
        given: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in block.items()}
        if given.get("domain"):
            _refuse_unknown("websocket_api.domain", given["domain"], _names(Domain))
            try:
                given["domain"] = Domain(**given["domain"])
            except TypeError as error:
                raise ValueError('websocket_api.domain needs "name" and "certificate_arn"') from error
        found = cls(**given)
        found._check_routes()
        found._check_limits_and_log()
        return found

    def _check_limits_and_log(self) -> None:
        for name, limits in (("throttling", self.throttling), *self.route_throttling.items()):
            _refuse_unknown(f"websocket_api: {name}", limits, {"rate", "burst"})
            if wrong := [one for one in limits.values() if not isinstance(one, int | float) or one <= 0]:
                raise ValueError(f"websocket_api: a limit of {name} is {wrong[0]!r}, not a number above 0")
            if len({**self.throttling, **limits}) == 1:
                raise ValueError(f"websocket_api: give {name} both a rate and a burst")
        if not isinstance(self.access_log, bool):
            _refuse_unknown(
                "websocket_api.access_log", self.access_log, {"retention_days", "format", "destination_arn"}
            )

    def _check_routes(self) -> None:
        for key in (*self.routes, *self.route_throttling):
            if not _ROUTE_KEY.fullmatch(key):
                raise ValueError(f"websocket_api: {key!r} is not a route key")
        if len(set(self.all_routes)) > 300:
            raise ValueError("websocket_api: API Gateway takes 300 routes per API")
        for name, wanted in (("route_throttling", self.route_throttling), ("route_responses", self.answering)):
            if unknown := set(wanted) - set(self.all_routes):
                raise ValueError(
                    f"websocket_api.{name} names {', '.join(sorted(unknown))}, which is not among the routes"
                )

    @property
    def all_routes(self) -> tuple[str, ...]:
        """Every route key, each once."""
        return tuple(dict.fromkeys((*FIXED_ROUTES, *self.routes)))

    @property
    def answering(self) -> tuple[str, ...]:
        """The routes that get a route response."""
        if isinstance(self.route_responses, tuple):
            return self.route_responses
        return tuple(key for key in self.all_routes if key not in ONE_WAY and self.route_responses)

    @property
    def log_format(self) -> str:
        """The access log's format, one line of JSON."""
        wanted = self.access_log if isinstance(self.access_log, Mapping) else {}
        form = wanted.get("format", ACCESS_LOG_FORMAT)
        return form if isinstance(form, str) else json.dumps(form)


def _names(kind: type) -> set[str]:
    return {one.name for one in fields(kind)}


def _refuse_unknown(name: str, given: Any, known: set[str]) -> None:
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} is {given!r}, not a block of {', '.join(sorted(known))}.")
    if unknown := set(given) - known:
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}. It knows {', '.join(sorted(known))}.")
