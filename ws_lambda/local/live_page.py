"""The live page of the gateway: the open connections, the events, and a box to try things in.

No answer goes to a page of another site. Requests that change something, or return private data, also need a header
that such a page cannot send.
"""

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from ws_lambda.local.connections_api import ConnectionsApi
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.journal import Entry
from ws_lambda.local.loopback import foreign_origin, from_another_page
from ws_lambda.local.redact import redacted

FILES = Path(__file__).parent / "static"
OWN_HEADER = "X-Local-Page"
PREFIX = "/_page"
QUEUE_LENGTH = 1_000
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self' ws:; img-src 'self' data:; "
    "frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""No page of another site can embed these answers or load them as a script."""

Known = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """What the page needs of the project behind the gateway."""

    site: str
    """The site's URL."""

    accounts: Sequence[str] = ()
    """The accounts that the box can connect as."""

    sessions: Callable[[Sequence[str]], Known] = lambda ids: {}
    """Takes connection ids; returns the user and channels of each, from the tables. Blocking."""

    token: Callable[[str], str] = lambda username: ""
    """Takes a username; returns a token for it. Blocking."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """The environment of a process that uses this gateway and these tables. "" unsets a variable."""


class Page:
    """Serves the page as part of the gateway's application."""

    def __init__(self, gateway: Gateway, management: ConnectionsApi, project: Project) -> None:
        self._gateway, self._management, self._project = gateway, management, project
        self._streams: set[asyncio.Queue[Entry]] = set()
        gateway.journal.listeners.append(self._tell)

    def mount(self, app: web.Application) -> None:
        """Adds the page's routes."""
        app.router.add_get("/", self._file("page.html", "text/html"))
        app.router.add_get("/env", self._environment)
        app.router.add_get(f"{PREFIX}/page.css", self._file("page.css", "text/css"))
        app.router.add_get(f"{PREFIX}/page.js", self._file("page.js", "text/javascript"))
        app.router.add_get(f"{PREFIX}/state", self._guarded(self._state))
        app.router.add_get(f"{PREFIX}/stream", self._stream)
        app.router.add_post(f"{PREFIX}/token", self._guarded(self._token))
        app.router.add_post(f"{PREFIX}/act", self._guarded(self._act))

    def _file(self, name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            if wrong := foreign_origin(request.headers):  # a link on another page may lead here
                raise web.HTTPForbidden(text=wrong)
            headers = HEADERS | {"Content-Security-Policy": POLICY}
            return web.Response(text=(FILES / name).read_text(), content_type=kind, charset="utf-8", headers=headers)

        return serve

    async def _environment(self, request: web.Request) -> web.Response:
        """For a shell: `eval "$(curl -s http://127.0.0.1:8001/env)"`."""
        _check_origin(request)
        lines = [
            f"export {name}={shlex.quote(value)}" if value else f"unset {name}"
            for name, value in self._project.environment.items()
        ]
        return web.Response(text="\n".join([*lines, ""]), headers=HEADERS)

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            _check_origin(request)
            if OWN_HEADER not in request.headers:
                raise web.HTTPForbidden(text="Only the live page itself may send this request.")
            return await handler(request)

        return serve

    async def _state(self, request: web.Request) -> web.Response:
        connections = list(self._gateway.pool)[:500]
        known = await asyncio.to_thread(self._project.sessions, [one.connection_id for one in connections])
        return web.json_response(
            {
                "url": f"ws://{self._gateway.api.domain_name}{self._gateway.api.path}",
                "site": self._project.site,
                "now": self._gateway.clock.now(),
                "expression": self._gateway.api.route_selection_expression,
                "routes": list(self._gateway.api.routes),
                "accounts": list(self._project.accounts),
                "open": len(self._gateway.pool),
                "connections": [
                    {
                        "id": one.connection_id,
                        "since": one.connected_at,
                        "active": one.last_active_at,
                        "in": one.messages_in,
                        "out": one.messages_out,
                        "agent": one.upgrade.header("User-Agent") or "",
                        **known.get(one.connection_id, {}),
                    }
                    for one in connections
                ],
            }
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the journal, then every new entry. EventSource cannot send a header of its own, but a
        page of another site cannot read this without a CORS header."""
        _check_origin(request)
        response = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[Entry] = asyncio.Queue(QUEUE_LENGTH)
        for entry in self._gateway.journal.entries:
            queue.put_nowait(entry)
        self._streams.add(queue)
        try:
            while True:
                await response.write(b"data: " + json.dumps(as_json(await queue.get())).encode() + b"\n\n")
        except ConnectionError:
            return response
        finally:
            self._streams.discard(queue)

    def _tell(self, entry: Entry) -> None:
        for queue in self._streams:
            if not queue.full():
                queue.put_nowait(entry)

    async def _token(self, request: web.Request) -> web.Response:
        username = str((await request.json()).get("username", ""))
        if username not in self._project.accounts:
            raise web.HTTPNotFound(text="There is no account of this name.")
        return web.json_response({"token": await asyncio.to_thread(self._project.token, username)})

    async def _act(self, request: web.Request) -> web.Response:
        asked = await request.json()
        connection_id = str(asked.get("id", ""))
        if asked.get("method") == "LOSE":
            if connection := self._gateway.pool.get(connection_id):
                self._gateway.lose(connection)
            return web.json_response({"status": 200 if connection else 410})
        answer = self._management.act(str(asked.get("method")), connection_id, str(asked.get("text", "")).encode())
        return web.json_response({"status": answer.status})


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry as JSON for the page, without tokens and cookies."""
    return {
        "at": entry.at,
        "kind": entry.kind,
        "id": entry.connection_id,
        "status": entry.status,
        "seconds": entry.seconds,
        "note": entry.note,
        "sent": redacted(entry.sent),
        "event": redacted(entry.event) if entry.event else None,
        "answer": {"statusCode": entry.answer.status, "body": entry.answer.body} if entry.answer else None,
    }


def _check_origin(request: web.Request) -> None:
    """Refuses requests of other pages. The server has already checked `Host`, as for every request on its port."""
    if wrong := from_another_page(request.headers):
        raise web.HTTPForbidden(text=wrong)
