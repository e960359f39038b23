"""One typed, read-only form of what API Gateway says about a WebSocket connection.

Pure: no Django, no AWS. Two forms come in, the Lambda proxy event and the request that an HTTP integration
makes; nothing past this module reads a raw AWS dict or a raw gateway header.
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
    """The three things that happen on a connection, as API Gateway spells them."""

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
"""What an HTTP integration must map into request headers: header → API Gateway context variable."""

SECRET_HEADER = "X-Ws-Gateway-Secret"  # noqa: S105 - the name of a header
"""The header in which an HTTP integration proves that it is the gateway."""

_NAME = re.compile(r"[A-Za-z0-9_$-]{1,128}")
"""What an API id or a stage may look like."""

_LAST_MOMENT = 10**13
"""In the year 2286: a date that every part of Python can calculate with."""

FIXED_ROUTES = ("$connect", "$disconnect", "$default")
"""The route keys that every WebSocket API knows; all others are custom."""

ONE_WAY = FIXED_ROUTES[:2]
"""Those whose answer reaches no client as a message, so that they take no route response."""

_FIXED_SLUGS = {key: key.removeprefix("$") for key in FIXED_ROUTES}


def route_slug(route_key: str) -> str:
    """The URL slug of a route key: `$connect` → `connect`, `chat` → `chat`, `chat/send` → `chat-send`."""
    return _FIXED_SLUGS.get(route_key) or re.sub(r"[^A-Za-z0-9_-]+", "-", route_key).strip("-") or "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayEvent:
    """One event of one connection. Its repr has ids, and nothing that a token or a message is in."""

    type: EventType
    """Whether the connection opens, speaks or has ended."""

    route_key: str
    """`$connect`, `$disconnect`, `$default` or a custom key."""

    connection_id: str
    """API Gateway's name for the connection, as in `@connections/{id}`."""

    api_id: str
    """The WebSocket API that the connection belongs to."""

    stage: str = ""
    """The stage, which is also the first path segment of an execute-api URL."""

    domain_name: str = ""
    """The host that the client connected to: execute-api's, or a custom domain."""

    request_id: str = ""
    """What to look for in logs."""

    source_ip: str = ""
    """The client's address as API Gateway saw it; never taken from X-Forwarded-For."""

    user_agent: str = ""
    """The client's User-Agent, if it sent one."""

    connected_at: int = 0
    """When the connection was made, in milliseconds since the epoch."""

    message_id: str = ""
    """API Gateway's id of a message."""

    disconnect_code: int | None = None
    """The WebSocket close code, on DISCONNECT."""

    disconnect_reason: str = ""
    """Why the connection ended, on DISCONNECT."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The client's headers by lower-case name; a MESSAGE has none."""

    query: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """The query string's pairs in order; only CONNECT has any."""

    body: bytes = field(default=b"", repr=False)
    """The message, decoded from base64 where API Gateway had to encode it."""

    authorizer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What a Lambda authorizer returned, if one ran."""

    @property
    def slug(self) -> str:
        """The URL slug that the route is served at."""
        return route_slug(self.route_key)

    @property
    def subprotocols(self) -> list[str]:
        """The WebSocket subprotocols that the client offers, in its order."""
        offered = self.headers.get("sec-websocket-protocol", "")
        return [name for part in offered.split(",") if (name := part.strip())]

    def query_value(self, name: str) -> str:
        """The last value of a query parameter, or ""."""
        return next((value for key, value in reversed(self.query) if key == name), "")

    @staticmethod
    def recognises(event: object) -> bool:
        """Whether a Lambda event is a WebSocket proxy event.

        A REQUEST authorizer's event carries `eventType: CONNECT` too; it has a `methodArn` and is not one.
        """
        if not isinstance(event, Mapping) or "methodArn" in event:
            return False
        context = event.get("requestContext")
        return isinstance(context, Mapping) and "connectionId" in context and "eventType" in context

    @classmethod
    def from_lambda(cls, event: Mapping[str, Any]) -> Self:
        """Reads a Lambda proxy event.

        Raises:
            EventError: something that every such event has is missing or of the wrong kind.
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
        """Reads the request that an HTTP integration makes. Only to be called once the secret is proved.

        The fallbacks are for a gateway that maps nothing but the connection id: API Gateway itself sends the
        API's id and a telling User-Agent, and the path says which of the three events it is.

        Raises:
            EventError: there is no connection id, no API id, or an unknown event type. What addresses are made of
                is looked at closely, since a gateway that does not map a header lets the client's own through.
        """
        got = {name.lower(): value for name, value in headers.items()}
        connection_id = got.get("connectionid", "")
        api_id = got.get("x-ws-api-id") or got.get("x-amzn-apigateway-api-id", "")
        if not api_id and (agent := got.get("user-agent", "")).startswith("AmazonAPIGateway_"):
            api_id = agent.removeprefix("AmazonAPIGateway_")
        if not connection_id or not _NAME.fullmatch(api_id):
            raise EventError("The request carries no connectionId header, or no API id.")
        if not _NAME.fullmatch(stage := got.get("x-ws-stage", "")) and stage:
            raise EventError("The request carries no stage that there can be.")
        implied = {"connect": EventType.CONNECT, "disconnect": EventType.DISCONNECT}.get(slug, EventType.MESSAGE)
        connected_at = got.get("x-ws-connected-at", "")
        try:
            kind = EventType(got.get("x-ws-event-type") or implied)
        except ValueError as wrong:
            raise EventError("The request carries an unknown event type.") from wrong
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
            headers={name: value for name, value in got.items() if name != "host"},  # host is the backend's own
            query=query,
            body=body,
        )


def _text(value: object) -> str:
    """A string field: absent and null are "", anything but a string or number is an error."""
    if value is None:
        return ""
    if not isinstance(value, (str, int)):
        raise TypeError(f"a string was expected, not {type(value).__name__}")
    return str(value)


def _moment(value: object) -> int:
    """Milliseconds since the epoch; 0 for none, and for more than a calendar has."""
    moment = int(_text(value) or 0)
    return moment if 0 <= moment < _LAST_MOMENT else 0


def _code(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _pairs(event: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The query; the maps are absent when there is none."""
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
