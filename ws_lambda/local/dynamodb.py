"""DynamoDB in a process of its own: moto on an inherited socket. Its data ends with it."""

import argparse
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from ws_lambda.local.lifeline import Lifeline
from ws_lambda.local.startup import uncollected


def main() -> None:
    """The process's entry point."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--http-fd", type=int, required=True)
    parser.add_argument("--lifeline-fd", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Lifeline(options.lifeline_fd)
    serve(options.http_fd)


def serve(fd: int) -> None:
    """Serves moto's DynamoDB until the process ends."""
    with uncollected():
        import moto.dynamodb.urls  # noqa: F401 - moto itself would import it at the first request
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

    class KeepAlive(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    listening = socket.socket(fileno=fd)
    host, port = listening.getsockname()[:2]
    app = in_turn(DomainDispatcherApplication(create_backend_app))
    make_server(host, port, app, threaded=True, request_handler=KeepAlive, fd=listening.fileno()).serve_forever()


def in_turn(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Lets requests take turns. Connections have threads of their own, but moto is not made for them: it undoes a
    failed transaction by putting whole tables back, and with them what another thread wrote meanwhile.
    """
    turns = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with turns:
            return list(app(environ, start_response))

    return answer


if __name__ == "__main__":
    main()
