"""The events that API Gateway sends to the function, for tests that call the function without a gateway."""

import json
from collections.abc import Mapping
from typing import Any

from ws_lambda import clock
from ws_lambda.local import proxy_events
from ws_lambda.local.api_definition import Api, Event
from ws_lambda.local.connection import Connection
from ws_lambda.local.ids import Ids
from ws_lambda.local.options import Options
from ws_lambda.local.upgrade import Upgrade
from ws_lambda.testing.handshake import SOURCE_IP, handshake

CONNECTION_ID = "C1="
DOMAIN_NAME = "test.execute-api.eu-west-1.amazonaws.com"
STAGE = "test"

_new_id = Ids()


def default_api_id() -> str:
    """The first of the accepted API ids (GATEWAY_IDS), or "test"."""
    from ws_lambda.gatekeeping.trust import allowed_ids

    return min(allowed_ids(), default="test")


def connect_event(
    connection_id: str = CONNECTION_ID,
    *,
    token: str = "",
    channel: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
    subprotocols: tuple[str, ...] = (),
    origin: str | None = "",
    source_ip: str = SOURCE_IP,
    **context: Any,
) -> Event:
    """Builds the event of `$connect`.

    Args:
        connection_id: API Gateway's id of the connection.
        token: a token, such as one of `mint_token`; "" for none.
        channel: the `channel` in the query string.
        query: other parameters of the query string.
        headers: HTTP headers of the upgrade. They can replace the default ones, such as `User-Agent`.
        cookies: cookies by name.
        subprotocols: the subprotocols that the client offers, in order.
        origin: the origin of the page; None for a client that is not a browser. Default: the gateway's own.
        source_ip: the address of the client.
        context: values of `requestContext` by AWS's own names, such as `apiId`, `stage`, `domainName` or `authorizer`.
    """
    api = _api(context)
    upgrade = handshake(
        token=token,
        channel=channel,
        query=query,
        headers=headers,
        cookies=cookies,
        subprotocols=subprotocols,
        origin=f"https://{api.domain_name}" if origin == "" else origin,
        source_ip=source_ip,
    )
    now, proto = clock.now(), Options().forwarded_proto
    connection = _connection(connection_id, upgrade, now)
    return _with(context, proxy_events.connect(api, connection, request_id=_new_id(), now=now, proto=proto))


def message_event(body: Any, connection_id: str = CONNECTION_ID, **context: Any) -> Event:
    """Builds the event of a message.

    Args:
        body: the message. Anything but a string is sent as JSON.
        connection_id: API Gateway's id of the connection.
        context: values of `requestContext` by AWS's own names, such as `routeKey` (default: `$default`) or `messageId`
            (default: a new one for each event).
    """
    now = clock.now()
    event = proxy_events.message(
        _api(context),
        _connection(connection_id, handshake(), now),
        route_key="$default",
        body=body if isinstance(body, str) else json.dumps(body),
        request_id=_new_id(),
        message_id=_new_id(),
        now=now,
    )
    return _with(context, event)


def disconnect_event(
    connection_id: str = CONNECTION_ID, *, code: int = 1000, reason: str = "", **context: Any
) -> Event:
    """Builds the event of `$disconnect`.

    Args:
        connection_id: API Gateway's id of the connection.
        code: the WebSocket close code.
        reason: the close reason.
        context: values of `requestContext` by AWS's own names.
    """
    now = clock.now()
    connection = _connection(connection_id, handshake(), now)
    event = proxy_events.disconnect(_api(context), connection, code=code, reason=reason, request_id=_new_id(), now=now)
    return _with(context, event)


def _api(context: Mapping[str, Any]) -> Api:
    """The API that an event comes from. Its routes are not needed, because no gateway selects one."""
    return Api(
        api_id=context["apiId"] if "apiId" in context else default_api_id(),
        stage=context.get("stage", STAGE),
        domain_name=context.get("domainName", DOMAIN_NAME),
        routes={},
    )


def _connection(connection_id: str, upgrade: Upgrade, now: float) -> Connection:
    return Connection(connection_id=connection_id, upgrade=upgrade, connected_at=now, last_active_at=now)


def _with(context: Mapping[str, Any], event: Event) -> Event:
    event["requestContext"] |= context
    return event
