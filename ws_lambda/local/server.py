"""The gateway on a port, by aiohttp: sockets at `/<stage>`, @connections below it, the live page at `/`."""

import asyncio
import logging
import socket
from collections.abc import Mapping

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.typedefs import Handler

from ws_lambda.local.connection import Connection
from ws_lambda.local.connections_api import ConnectionsApi
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.gateway_clock import SystemClock
from ws_lambda.local.live_page import Page, Project
from ws_lambda.local.loopback import foreign_host
from ws_lambda.local.signed_request import as_signed, decoded_headers
from ws_lambda.local.socket_wire import FrameGuard, SocketWire
from ws_lambda.local.upgrade import Refusal, Upgrade

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a request body that aiohttp reads before it answers 413. The management API has its own, lower limit."""

CLOSE_WAIT = 2.0
"""Seconds that a client has to answer a close frame."""

# aiohttp warns about unknown subprotocols and prints them. They may be tokens.
logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)


class Server:
    """Serves one gateway."""

    def __init__(self, gateway: Gateway, keys: Mapping[str, str], project: Project | None = None) -> None:
        self.gateway = gateway
        self.app = web.Application(client_max_size=BODY_LIMIT, middlewares=[self._of_this_host])
        self._management = ConnectionsApi(gateway, keys)
        self._names = (gateway.api.domain_name.partition(":")[0],)
        if project is not None:
            Page(gateway, self._management, project).mount(self.app)
        self._runner = web.AppRunner(self.app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        self._handlers: set[asyncio.Task[None]] = set()

    async def start(self, listening: socket.socket) -> None:
        """Starts to serve on a socket that already listens."""
        path = self.gateway.api.path
        for one in {path, path + "/"} - {""}:
            self.app.router.add_get(one, self._connect)
        self.app.router.add_route("*", path + "/{rest:.+}", self._manage)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        """Closes all sockets and the port."""
        for connection in self.gateway.pool:
            if connection.wire is not None:
                connection.wire.close(WSCloseCode.GOING_AWAY, "The local gateway stops")
        if isinstance(self.gateway.clock, SystemClock):
            await self.gateway.clock.finish()
        await self._runner.cleanup()

    @web.middleware
    async def _of_this_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if wrong := foreign_host(request.headers, self._names):
            raise web.HTTPForbidden(text=wrong)
        return await handler(request)

    async def _manage(self, request: web.Request) -> web.Response:
        answer = await self._management.answer(await as_signed(request))
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(compress=False, max_msg_size=0, timeout=CLOSE_WAIT)
        if not ws.can_prepare(request).ok:
            return web.json_response(
                {"message": "Upgrade Required"},
                status=426,
                headers={"Connection": "Upgrade", "Upgrade": "websocket"},
            )
        raw_path, _, query = request.raw_path.partition("?")
        upgrade = Upgrade(
            headers=_without_cookies(request) if _of_the_page(request) else decoded_headers(request),
            query_string=query,
            source_ip=request.remote or "127.0.0.1",
            path=raw_path,
        )
        outcome = await self.gateway.connect(upgrade)
        if isinstance(outcome, Refusal):
            return web.Response(status=outcome.status, text=outcome.body, headers=outcome.headers)
        if outcome.subprotocol:
            # Passed on as the function returned it, whether or not the client offered it.
            ws.headers["Sec-WebSocket-Protocol"] = outcome.subprotocol
        code, reason = await self._serve(request, ws, outcome)
        self.gateway.closed(outcome, code, reason)
        return ws

    async def _serve(
        self, request: web.Request, ws: web.WebSocketResponse, connection: Connection
    ) -> tuple[int | None, str]:
        """Handles the messages of a client until it leaves. Returns its close code, or None, and reason."""
        try:
            await ws.prepare(request)
        except (ConnectionError, web.HTTPException):
            return 1006, ""
        transport = request.transport
        if transport is None:
            return 1006, ""
        self._guard(request, transport, connection)
        connection.attach(SocketWire(ws, transport))
        while True:
            message = await ws.receive()
            if message.type is WSMsgType.TEXT:
                self._receive(connection, message.data)
            elif message.type is WSMsgType.BINARY:
                self.gateway.receive_binary(connection)
            elif message.type is WSMsgType.CLOSE:
                return message.data or None, message.extra or ""
            else:
                return 1006, ""

    def _guard(self, request: web.Request, transport: asyncio.Transport, connection: Connection) -> None:
        guard = FrameGuard(request.protocol, transport)
        guard.on_too_big = lambda: self.gateway.receive_too_big(connection)
        guard.on_ping = lambda: self.gateway.receive_ping(connection)
        transport.set_protocol(guard)

    def _receive(self, connection: Connection, text: str) -> None:
        """Starts an invocation for a message. It does not wait for the one before."""
        task = asyncio.get_running_loop().create_task(self.gateway.receive(connection, text))
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)


def _of_the_page(request: web.Request) -> bool:
    """Whether the live page connects. It connects as the account that it names, not as the user who is logged in to the
    site, although a browser sends a host's cookies to all of its ports."""
    return request.headers.get("Origin") == f"http://{request.host}"


def _without_cookies(request: web.Request) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in decoded_headers(request) if name.lower() != "cookie")
