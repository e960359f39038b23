"""@connections: POST, GET and DELETE of one connection.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote

from ws_lambda import clock
from ws_lambda.local import sigv4, websocket_frames
from ws_lambda.local.connection import Connection
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.journal import Entry
from ws_lambda.local.loopback import from_a_page
from ws_lambda.local.sigv4 import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An answer of the management API."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class ConnectionsApi:
    """The management API (`@connections`) of one gateway."""

    def __init__(self, gateway: Gateway, keys: Mapping[str, str]) -> None:
        self._gateway = gateway
        self._keys = keys

    async def answer(self, request: Request) -> Response:
        """Checks the signature and the path, then carries out the request."""
        gateway = self._gateway
        await gateway.clock.sleep(gateway.dice.between(gateway.faults.latency))
        if wrong := from_a_page(request):
            return error(403, "ForbiddenException", wrong)
        try:
            # By the real clock, which clients sign with, whatever the speed of the gateway's clock is.
            sigv4.verify(request, self._keys, service="execute-api", now=clock.now())
        except sigv4.BadSignatureError as unsigned:
            return error(403, "ForbiddenException", str(unsigned))
        above, _, connection_id = request.raw_path.rpartition("/")
        path, _, marker = above.rpartition("/")
        if path != gateway.api.path or unquote(marker) != "@connections":
            return error(403, "ForbiddenException", "Forbidden")
        return self.act(request.method, unquote(connection_id), request.body)

    def act(self, method: str, connection_id: str, body: bytes = b"") -> Response:
        """Carries out a request without checking a signature: the caller is trusted."""
        response = self._act(method, connection_id, body)
        self._gateway.journal.add(
            Entry(
                at=self._gateway.clock.now(),
                kind=method,
                connection_id=connection_id,
                status=response.status,
                sent=body.decode("utf-8", "replace"),
            )
        )
        return response

    def _act(self, method: str, connection_id: str, body: bytes) -> Response:
        gateway = self._gateway
        if not gateway.admit_request():
            return error(429, "LimitExceededException", "Too Many Requests")
        if (fault := self._fault()) is not None:
            return fault
        connection = gateway.pool.get(connection_id)
        if method == "POST":
            return self._post(connection, body)
        if connection is None:
            return GONE
        if method == "DELETE":
            gateway.close(connection, 1000, "Connection Closed Normally")
            return Response(status=204)
        if method == "GET":
            return Response(status=200, headers=JSON, body=json.dumps(describe(connection)).encode())
        return error(403, "ForbiddenException", "Forbidden")

    def _post(self, connection: Connection | None, body: bytes) -> Response:
        if len(body) > websocket_frames.MAX_MESSAGE:
            return error(413, "PayloadTooLargeException", "Message too long")
        if connection is None:
            return GONE
        if not connection.send(body, self._gateway.clock.now()):
            return error(429, "LimitExceededException", "The client's buffer is full")
        return Response(status=200)

    def _fault(self) -> Response | None:
        says, faults = self._gateway.dice.says, self._gateway.faults
        if says(faults.connections_gone):
            return GONE
        if says(faults.connections_limit):
            return error(429, "LimitExceededException", "Too Many Requests")
        if says(faults.connections_error):
            return error(500, "InternalServerErrorException", "Internal server error")
        return None


JSON = {"Content-Type": "application/json"}


def error(status: int, kind: str, message: str) -> Response:
    """An error answer. The header tells boto3 which exception to raise."""
    body = json.dumps({"message": message}).encode()
    return Response(status=status, headers=JSON | {"x-amzn-ErrorType": kind}, body=body)


GONE = error(410, "GoneException", "Gone")


def describe(connection: Connection) -> dict[str, object]:
    """The JSON that GET returns for a connection."""
    identity = {"sourceIp": connection.upgrade.source_ip}
    if agent := connection.upgrade.header("User-Agent"):
        identity["userAgent"] = agent
    return {
        "connectedAt": _iso(connection.connected_at),
        "identity": identity,
        "lastActiveAt": _iso(connection.last_active_at),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
