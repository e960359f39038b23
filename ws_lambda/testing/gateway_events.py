"""The events that API Gateway sends to the function, for tests that call the function without a gateway."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ws_lambda import clock
from ws_lambda.local import proxy_events
from ws_lambda.local.api_definition import Api, Event
from ws_lambda.local.connection import Connection
from ws_lambda.local.ids import Ids
from ws_lambda.local.options import Options
from ws_lambda.local.upgrade import Upgrade
from ws_lambda.testing.handshake import SOURCE_IP, USER_AGENT, handshake
from ws_lambda.testing.request_context import check, check_texts, client_of, request_id_of

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
    query: Mapping[str, str | Sequence[str]] | None = None,
    headers: Mapping[str, str | None] | None = None,
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
        query: other parameters of the query string. A list is sent as one parameter for each of its values.
        headers: HTTP headers of the upgrade. They replace the default ones, such as `User-Agent`; None leaves one out.
        cookies: cookies by name.
        subprotocols: the subprotocols that the client offers, in order.
        origin: the origin of the page; None for a client that is not a browser. Default: the gateway's own.
        source_ip: the address of the client.
        context: values of `requestContext` by AWS's own names, such as `apiId`, `stage`, `domainName` or `authorizer`.
            `identity` replaces `source_ip` and the `User-Agent`; `requestId` is also the `extendedRequestId`.

    Raises:
        TypeError: a name is not a key of `requestContext`, or two arguments contradict each other.
    """
    api = _api(context)
    check_texts(context)
    source_ip, user_agent = client_of(context, source_ip, USER_AGENT)
    upgrade = handshake(
        token=token,
        channel=channel,
        query=query,
        headers={"User-Agent": user_agent, **(headers or {})},
        cookies=cookies,
        subprotocols=subprotocols,
        origin=f"https://{api.domain_name}" if origin == "" else origin,
        source_ip=source_ip,
    )
    now, proto = clock.now(), Options().forwarded_proto
    connection = _connection(connection_id, upgrade, now)
    event = proxy_events.connect(api, connection, request_id=request_id_of(context, _new_id()), now=now, proto=proto)
    return _with(context, event)


def message_event(
    body: Any,
    connection_id: str = CONNECTION_ID,
    *,
    source_ip: str = SOURCE_IP,
    user_agent: str | None = USER_AGENT,
    **context: Any,
) -> Event:
    """Builds the event of a message.

    Args:
        body: the message. Anything but a string is sent as JSON.
        connection_id: API Gateway's id of the connection.
        source_ip: the address of the client.
        user_agent: the User-Agent that the client connected with; None if it sent none.
        context: values of `requestContext` by AWS's own names, such as `routeKey` (default: `$default`) or `messageId`
            (default: a new one for each event).

    Raises:
        TypeError: a name is not a key of `requestContext`, or two arguments contradict each other.
    """
    api, now = _api(context), clock.now()
    event = proxy_events.message(
        api,
        _connection(connection_id, _upgrade(context, source_ip, user_agent), now),
        route_key="$default",
        body=body if isinstance(body, str) else json.dumps(body),
        request_id=request_id_of(context, _new_id()),
        message_id=_new_id(),
        now=now,
    )
    return _with(context, event)


def disconnect_event(
    connection_id: str = CONNECTION_ID,
    *,
    code: int = 1000,
    reason: str = "",
    source_ip: str = SOURCE_IP,
    user_agent: str | None = USER_AGENT,
    **context: Any,
) -> Event:
    """Builds the event of `$disconnect`.

    Args:
        connection_id: API Gateway's id of the connection.
        code: the WebSocket close code.
        reason: the close reason.
        source_ip: the address of the client.
        user_agent: the User-Agent that the client connected with; None if it sent none.
        context: values of `requestContext` by AWS's own names.

    Raises:
        TypeError: a name is not a key of `requestContext`, or two arguments contradict each other.
    """
    api, now = _api(context), clock.now()
    connection = _connection(connection_id, _upgrade(context, source_ip, user_agent), now)
    request_id = request_id_of(context, _new_id())
    event = proxy_events.disconnect(api, connection, code=code, reason=reason, request_id=request_id, now=now)
    return _with(context, event)


def _api(context: Mapping[str, Any]) -> Api:
    """The API that an event comes from. Its routes are not needed, because no gateway selects one."""
    check(context)
    return Api(
        api_id=context["apiId"] if "apiId" in context else default_api_id(),
        stage=context.get("stage", STAGE),
        domain_name=context.get("domainName", DOMAIN_NAME),
        routes={},
    )


def _upgrade(context: Mapping[str, Any], source_ip: str, user_agent: str | None) -> Upgrade:
    """The upgrade of a connection whose client is known."""
    source_ip, user_agent = client_of(context, source_ip, user_agent)
    return handshake(headers={"User-Agent": user_agent}, source_ip=source_ip)


def _connection(connection_id: str, upgrade: Upgrade, now: float) -> Connection:
    return Connection(connection_id=connection_id, upgrade=upgrade, connected_at=now, last_active_at=now)


def _with(context: Mapping[str, Any], event: Event) -> Event:
    event["requestContext"] |= context
    return event
