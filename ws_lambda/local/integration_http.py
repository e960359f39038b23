"""HTTP_PROXY: the event is posted to a URL, with the mapped values in its headers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ws_lambda.local.api_definition import Answer, Event
from ws_lambda.local.upgrade import HOP_BY_HOP

PREFIX = "integration.request."
_REPLACED = HOP_BY_HOP | {"host", "content-length"}


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRequest:
    """The request to the backend, always a POST."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpIntegration:
    """Posts events to one URL."""

    url: str
    send: Callable[[HttpRequest], Awaitable[Answer]]
    """Makes the exchange. Raises IntegrationError if there is no answer."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Request parameters, e.g. `integration.request.header.connectionId` → `context.connectionId`."""

    async def call(self, event: Event) -> Answer:
        """Posts the event."""
        return await self.send(self.request(event))

    def request(self, event: Event) -> HttpRequest:
        """The request that the backend gets for an event."""
        api_id = event["requestContext"]["apiId"]
        # Only $connect has headers of the client to pass on.
        connecting = event["requestContext"]["eventType"] == "CONNECT"
        sent = event["headers"] if connecting else {"User-Agent": f"AmazonAPIGateway_{api_id}"}
        headers = {name: value for name, value in sent.items() if name.lower() not in _REPLACED}
        headers |= {"X-Amzn-Apigateway-Api-Id": api_id, "Content-Type": "application/json"}
        query = [(name, one) for name, many in event.get("multiValueQueryStringParameters", {}).items() for one in many]
        for target, expression in self.parameters.items():
            value = evaluate(expression, event)
            if value is None:
                continue
            kind, _, name = target.removeprefix(PREFIX).partition(".")
            if kind == "header":
                headers = {key: one for key, one in headers.items() if key.lower() != name.lower()} | {name: value}
            elif kind == "querystring":
                query.append((name, value))
        url = f"{self.url}?{urlencode(query)}" if query else self.url
        return HttpRequest(url=url, headers=headers, body=event.get("body", "").encode())


def evaluate(expression: str, event: Event) -> str | None:
    """The value of a mapping expression; None, so that nothing is sent, if there is no such value."""
    if expression.startswith("'"):
        return expression[1:-1]
    source, _, path = expression.partition(".")
    if source == "context":
        return _follow(event["requestContext"], path)
    place, _, rest = path.removeprefix("request.").partition(".")
    if place == "querystring":
        return _follow(event.get("queryStringParameters"), rest)
    if place == "header":
        return _follow({key.lower(): value for key, value in event.get("headers", {}).items()}, rest.lower())
    if place == "body":
        try:
            return _follow(json.loads(event.get("body", "")), rest)
        except ValueError:
            return None
    raise ValueError(f"{expression} is not a mapping expression of a WebSocket API.")


def _follow(value: object, path: str) -> str | None:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value)
