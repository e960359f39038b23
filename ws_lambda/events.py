"""`GatewayEvent`: a typed, read-only form of a WebSocket event of API Gateway.

It is made from a Lambda proxy event or from the request of an HTTP integration. No other module reads a raw WebSocket
event or a raw gateway header. This module imports neither Django nor AWS.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from ws_lambda.exceptions import EventError


class EventType(StrEnum):
    """The three types of event on a connection, as API Gateway spells them."""

    CONNECT = "CONNECT"
    MESSAGE = "MESSAGE"
    DISCONNECT = "DISCONNECT"


HTTP_HEADERS: dict[str, str] = {
    "connectionId": "context.connectionId",
    "X-Ws-Event-Type": "context.eventType",
    "X-Ws-Route-Key": "context.routeKey",
    "X-Ws-Api-Id": "context.apiId",
    "X-Ws-Stage": "context.stage",
    "X-Ws-Domain-Name": "context.domainName",
    "X-Ws-Source-Ip": "context.identity.sourceIp",
    "X-Ws-User-Agent": "context.identity.userAgent",
    "X-Ws-Request-Id": "context.requestId",
    "X-Ws-Connected-At": "context.connectedAt",
    "X-Ws-Message-Id": "context.messageId",
}
"""The request headers that an HTTP integration must map: header → API Gateway context variable."""

SECRET_HEADER = "X-Ws-Gateway-Secret"  # noqa: S105 - the name of a header
"""The header that proves that a request comes from the gateway's HTTP integration."""

_NAME = re.compile(r"[A-Za-z0-9_$-]{1,128}")
"""The characters of an API id or a stage name."""

_LAST_MOMENT = 10**13
"""Milliseconds since the epoch, in the year 2286. All of Python's date arithmetic works up to there."""

FIXED_ROUTES = ("$connect", "$disconnect", "$default")
"""The predefined route keys of a WebSocket API. All others are custom."""

ONE_WAY = FIXED_ROUTES[:2]
"""Routes without a route response: their answer never reaches the client as a message."""

_FIXED_SLUGS = {key: key.removeprefix("$") for key in FIXED_ROUTES}


def route_slug(route_key: str) -> str:
    """Returns the URL slug of a route key: `$connect` → `connect`, `chat` → `chat`, `chat/send` → `chat-send`."""
    return _FIXED_SLUGS.get(route_key) or re.sub(r"[^A-Za-z0-9_-]+", "-", route_key).strip("-") or "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayEvent:
    """One event of one connection. Its repr contains ids, but no field that can hold a token or a message."""

    type: EventType
    """Whether the client connects, sends a message or has disconnected."""

    route_key: str
    """`$connect`, `$disconnect`, `$default` or a custom key."""

    connection_id: str
    """API Gateway's id of the connection, as in `@connections/{id}`."""

    api_id: str
    """The WebSocket API that the connection belongs to."""

    stage: str = ""
    """The stage. It is also the first path segment of an execute-api URL."""

    domain_name: str = ""
    """The host that the client connected to: an execute-api host or a custom domain."""

    request_id: str = ""
    """API Gateway's id of the request. It is in the log lines of the event."""

    source_ip: str = ""
    """The client's address that API Gateway reports. It is never taken from X-Forwarded-For."""

    user_agent: str = ""
    """The client's User-Agent header, or ""."""

    connected_at: int = 0
    """When the connection was opened, in milliseconds since the epoch."""

    message_id: str = ""
    """API Gateway's id of a message."""

    disconnect_code: int | None = None
    """The WebSocket close code, on DISCONNECT."""

    disconnect_reason: str = ""
    """Why the connection was closed, on DISCONNECT."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The client's headers by lower-case name. A MESSAGE has none."""

    query: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """The names and values of the query string, in order. Only CONNECT has any."""

    body: bytes = field(default=b"", repr=False)
    """The message. If API Gateway encoded it as base64, it is decoded."""

    authorizer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The context that a Lambda authorizer returned, if there is one."""

    @property
    def slug(self) -> str:
        """The URL slug of the route."""
        return route_slug(self.route_key)

    @property
    def subprotocols(self) -> list[str]:
        """The WebSocket subprotocols that the client offers, in the client's order."""
        offered = self.headers.get("sec-websocket-protocol", "")
        return [name for part in offered.split(",") if (name := part.strip())]

    def query_value(self, name: str) -> str:
        """Returns the last value of a query parameter, or ""."""
        return next((value for key, value in reversed(self.query) if key == name), "")

    @staticmethod
    def recognises(event: object) -> bool:
        """Whether a Lambda event is a WebSocket proxy event.

        An event for a REQUEST authorizer also has `eventType: CONNECT`. It has a `methodArn` as well, and is not one.
        """
        if not isinstance(event, Mapping) or "methodArn" in event:
            return False
        context = event.get("requestContext")
        return isinstance(context, Mapping) and "connectionId" in context and "eventType" in context

    @classmethod
    def from_lambda(cls, event: Mapping[str, Any]) -> Self:
        """Reads a Lambda proxy event.

        Raises:
            EventError: a required field is missing or has the wrong type.
        """
        try:
            context = event["requestContext"]
            identity = context.get("identity") or {}
            return cls(
                type=EventType(context["eventType"]),
                route_key=_text(context["routeKey"]),
                connection_id=_text(context["connectionId"]),
                api_id=_text(context["apiId"]),
                stage=_text(context.get("stage")),
                domain_name=_text(context.get("domainName")),
                request_id=_text(context.get("requestId")),
                source_ip=_text(identity.get("sourceIp")),
                user_agent=_text(identity.get("userAgent")),
                connected_at=_moment(context.get("connectedAt")),
                message_id=_text(context.get("messageId")),
                disconnect_code=_code(context.get("disconnectStatusCode")),
                disconnect_reason=_text(context.get("disconnectReason")),
                headers={k.lower(): _text(v) for k, v in (event.get("headers") or {}).items()},
                query=_pairs(event),
                body=_body(event),
                authorizer=context.get("authorizer") or {},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise EventError(f"Not a WebSocket proxy event: {type(wrong).__name__}: {wrong}") from wrong

    @classmethod
    def from_http(cls, headers: Mapping[str, str], *, slug: str, query: Sequence[tuple[str, str]], body: bytes) -> Self:
        """Reads the request of an HTTP integration. Call it only after checking the secret.

        A gateway may map nothing but the connection id. Then the API id comes from a header or the User-Agent that
        API Gateway itself sends, and the type of the event from the path.

        Raises:
            EventError: the connection id or the API id is missing, or the event type is unknown. API id and stage are
                validated, because a gateway that does not map a header passes on the client's own.
        """
        got = {name.lower(): value for name, value in headers.items()}
        connection_id = got.get("connectionid", "")
        api_id = got.get("x-ws-api-id") or got.get("x-amzn-apigateway-api-id", "")
        if not api_id and (agent := got.get("user-agent", "")).startswith("AmazonAPIGateway_"):
            api_id = agent.removeprefix("AmazonAPIGateway_")
        if not connection_id or not _NAME.fullmatch(api_id):
            raise EventError("The request has no connectionId header or no valid API id.")
        if not _NAME.fullmatch(stage := got.get("x-ws-stage", "")) and stage:
            raise EventError("The request has an invalid stage name.")
        implied = {"connect": EventType.CONNECT, "disconnect": EventType.DISCONNECT}.get(slug, EventType.MESSAGE)
        connected_at = got.get("x-ws-connected-at", "")
        try:
            kind = EventType(got.get("x-ws-event-type") or implied)
        except ValueError as wrong:
            raise EventError("The request has an unknown event type.") from wrong
        return cls(
            type=kind,
            route_key=got.get("x-ws-route-key") or {"connect": "$connect", "disconnect": "$disconnect"}.get(slug, slug),
            connection_id=connection_id,
            api_id=api_id,
            stage=stage,
            domain_name=got.get("x-ws-domain-name", ""),
            request_id=got.get("x-ws-request-id", ""),
            source_ip=got.get("x-ws-source-ip", ""),
            user_agent=got.get("x-ws-user-agent", ""),
            connected_at=_moment(connected_at) if re.fullmatch(r"[0-9]+", connected_at) else 0,
            message_id=got.get("x-ws-message-id", ""),
            headers={name: value for name, value in got.items() if name != "host"},  # the backend's own host
            query=query,
            body=body,
        )


def _text(value: object) -> str:
    """Reads a string field. An absent or null one is "". Anything but a string or a number is an error."""
    if value is None:
        return ""
    if not isinstance(value, (str, int)):
        raise TypeError(f"a string was expected, not {type(value).__name__}")
    return str(value)


def _moment(value: object) -> int:
    """Reads milliseconds since the epoch. A missing, negative or too large value is 0."""
    moment = int(_text(value) or 0)
    return moment if 0 <= moment < _LAST_MOMENT else 0


def _code(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _pairs(event: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Reads the query string. Without one, the event has no maps for it."""
    many = event.get("multiValueQueryStringParameters")
    if many is None:
        one = event.get("queryStringParameters") or {}
        return tuple((_text(k), _text(v)) for k, v in one.items())
    return tuple((_text(k), _text(v)) for k, values in many.items() for v in values)


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError(f"a body is a string, not {type(body).__name__}")
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as wrong:
            raise ValueError("the body is not base64") from wrong
    return body.encode("utf-8", "surrogatepass")
