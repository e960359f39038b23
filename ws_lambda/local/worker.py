"""The process that runs the user's code: Django over HTTP, and the function. Restarted when code changes.

Both listening sockets belong to the supervisor and are inherited. So no connection is refused while this process
restarts: connections wait in the backlog.
"""

import argparse
import atexit
import functools
import json
import logging
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from ws_lambda.local.in_flight import GRACE, CountedHandler, CountingServer, InFlight
from ws_lambda.local.invoke_client import FUNCTION_ERROR
from ws_lambda.local.lambda_context import LambdaContext
from ws_lambda.local.loopback import foreign_host
from ws_lambda.local.parent_pipe import ParentPipe
from ws_lambda.local.startup import uncollected

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SILENT_SECONDS = 2.0
"""How long the worker waits for running requests before it says so."""

POLL = 0.05
"""Seconds that a server takes to notice that it has to stop."""

logger = logging.getLogger("ws_lambda.local")


class InvokeHandler(CountedHandler, BaseHTTPRequestHandler):
    """Answers Lambda's Invoke call."""

    server: "InvokeServer"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Runs the function on the posted event."""
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {}
        try:
            # Imported at each call: a failing import fails the invocation, as on Lambda.
            answer = import_string(self.server.handler)(event, LambdaContext())
            payload = json.dumps(answer).encode()
        except Exception as error:
            logger.exception("The function raised on %s", event.get("requestContext", {}).get("routeKey", "an event"))
            headers[FUNCTION_ERROR] = "Unhandled"
            payload = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode()
        self.send_response(200)
        for name, value in (headers | {"Content-Type": "application/json", "Content-Length": len(payload)}).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: the live page shows every event."""


class InvokeServer(CountingServer, socketserver.ThreadingMixIn, socketserver.BaseServer):
    """Serves Invoke on an inherited Unix socket; a thread to a connection."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, handler: str, in_flight: InFlight) -> None:
        super().__init__("function", InvokeHandler)
        self._socket = listening
        self.handler, self.in_flight = handler, in_flight

    def fileno(self) -> int:
        return self._socket.fileno()

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, _address = self._socket.accept()
        return connection, ("function", 0)

    def close_request(self, request: Any) -> None:
        request.close()


def serve(http_fd: int, invoke_fd: int, handler: str, ready: Callable[[], None]) -> None:
    """Sets Django up, waits for the tables, then serves until the process ends."""
    in_flight = InFlight()
    with uncollected():
        import django

        django.setup()
        site = _http_server(http_fd, in_flight)
    invoke = InvokeServer(socket.socket(fileno=invoke_fd), handler, in_flight)
    ready()
    threading.Thread(target=invoke.serve_forever, args=(POLL,), daemon=True).start()

    def drain() -> None:
        invoke.shutdown()
        site.shutdown()
        if not in_flight.wait(SILENT_SECONDS):
            sys.stdout.write(f"Waiting up to {GRACE:g} s for running requests before the new code starts.\n")
            sys.stdout.flush()
            in_flight.wait()

    atexit.register(drain)
    site.serve_forever(POLL)


def _http_server(fd: int, in_flight: InFlight) -> Any:
    from django.conf import settings
    from django.core.servers.basehttp import (
        ThreadedWSGIServer,
        WSGIRequestHandler,
        get_internal_wsgi_application,
    )

    listening = socket.socket(fileno=fd)

    class Server(CountingServer, ThreadedWSGIServer):
        pass

    class Handler(CountedHandler, WSGIRequestHandler):
        pass

    server = Server(listening.getsockname()[:2], Handler, False)
    server.in_flight = in_flight
    server.socket.close()
    server.socket = listening
    server.server_name, server.server_port = listening.getsockname()[:2]
    server.setup_environ()
    app = get_internal_wsgi_application()
    if settings.DEBUG and "django.contrib.staticfiles" in settings.INSTALLED_APPS:
        from django.contrib.staticfiles.handlers import StaticFilesHandler

        app = StaticFilesHandler(app)
    server.set_app(of_this_machine(app, settings.ALLOWED_HOSTS))
    return server


def of_this_machine(app: "WSGIApplication", allowed_hosts: Sequence[str]) -> "WSGIApplication":
    """The application, for requests whose `Host` is this machine or an allowed one. Django checks `Host` only if code
    asks for it, and accepts any if ALLOWED_HOSTS has `*`.
    """

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if wrong := foreign_host({"Host": environ.get("HTTP_HOST", "")}, allowed_hosts):
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [wrong.encode()]
        return app(environ, start_response)

    return answer


def main() -> None:
    """The process's entry point."""
    parser = argparse.ArgumentParser()
    for name in ("http-fd", "invoke-fd", "parent-pipe-fd"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--reload", action="store_true")
    parser.add_argument("--handler", required=True)
    parser.add_argument("--leftover", default="")
    options = parser.parse_args()
    ready = ParentPipe(options.parent_pipe_fd, options.leftover).wait_for_go
    work = functools.partial(serve, options.http_fd, options.invoke_fd, options.handler)
    if not options.reload:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        work(ready)
        return
    from ws_lambda.local import reloading

    reloading.run(work, ready)


if __name__ == "__main__":
    main()
