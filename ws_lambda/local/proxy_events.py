"""The Lambda proxy events, with the keys of events captured from the service."""

from datetime import UTC, datetime

from ws_lambda.local.api_definition import Api, Event
from ws_lambda.local.connection import Connection
from ws_lambda.local.upgrade import HOP_BY_HOP, Upgrade


def connect(api: Api, connection: Connection, *, request_id: str, now: float, proto: str) -> Event:
    """`$connect`: the client's headers and query, no body."""
    event: Event = _headers(_forwarded(api, connection.upgrade, request_id, now, proto))
    if query := connection.upgrade.query:
        event["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
        event["multiValueQueryStringParameters"] = query
    return _finish(api, event, _context(api, connection, "$connect", "CONNECT", request_id, now))


def message(
    api: Api,
    connection: Connection,
    *,
    route_key: str,
    body: str,
    request_id: str,
    message_id: str,
    now: float,
) -> Event:
    """A message. It has neither headers nor a query: only `$connect` has them."""
    context = _context(api, connection, route_key, "MESSAGE", request_id, now)
    context["messageId"] = message_id
    return _finish(api, {}, context) | {"body": body}


def disconnect(api: Api, connection: Connection, *, code: int, reason: str, request_id: str, now: float) -> Event:
    """`$disconnect`: four headers, three of them empty, and the close code and reason."""
    event: Event = _headers([("Host", api.domain_name), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")])
    context = _context(api, connection, "$disconnect", "DISCONNECT", request_id, now)
    context |= {"disconnectStatusCode": code, "disconnectReason": reason}
    return _finish(api, event, context)


def _finish(api: Api, event: Event, context: Event) -> Event:
    if api.stage_variables:
        event["stageVariables"] = dict(api.stage_variables)
    return event | {"requestContext": context, "isBase64Encoded": False}


def _context(api: Api, connection: Connection, route_key: str, event_type: str, request_id: str, now: float) -> Event:
    identity = {"sourceIp": connection.upgrade.source_ip}
    if agent := connection.upgrade.header("User-Agent"):
        identity["userAgent"] = agent
    context: Event = {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": request_id,
        "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "messageDirection": "IN",
        "stage": api.stage,
        "connectedAt": int(connection.connected_at * 1000),
        "requestTimeEpoch": int(now * 1000),
        "identity": identity,
        "requestId": request_id,
        "domainName": api.domain_name,
        "connectionId": connection.connection_id,
        "apiId": api.api_id,
    }
    if connection.authorizer is not None:
        context["authorizer"] = dict(connection.authorizer)
    return context


def _forwarded(api: Api, upgrade: Upgrade, request_id: str, now: float, proto: str) -> list[tuple[str, str]]:
    """The client's headers, with those that the service adds or replaces."""
    port = api.domain_name.rpartition(":")[2] if ":" in api.domain_name else "443"
    added = {
        "Host": api.domain_name,
        "X-Amzn-Trace-Id": f"Root=1-{int(now):08x}-{request_id.encode().hex()[:24]}",
        "X-Forwarded-For": upgrade.source_ip,
        "X-Forwarded-Port": port,
        "X-Forwarded-Proto": proto,
    }
    dropped = HOP_BY_HOP | {name.lower() for name in added}
    kept = [(name, value) for name, value in upgrade.headers if name.lower() not in dropped]
    if earlier := upgrade.header("X-Forwarded-For"):
        added["X-Forwarded-For"] = f"{earlier}, {upgrade.source_ip}"
    return kept + list(added.items())


def _headers(pairs: list[tuple[str, str]]) -> Event:
    multi: dict[str, list[str]] = {}
    for name, value in pairs:
        multi.setdefault(name, []).append(value)
    return {"headers": {name: values[-1] for name, values in multi.items()}, "multiValueHeaders": multi}
