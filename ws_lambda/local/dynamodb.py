"""DynamoDB in a process of its own, on an inherited socket. The data ends with the process.

It answers only clients of the same run, which sign with its secret. No web page can.
"""

import argparse
import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ws_lambda import clock
from ws_lambda.local import sigv4
from ws_lambda.local.dynamodb_engine import CONTENT_TYPE, OPERATIONS, TARGET, Answer, Engine
from ws_lambda.local.loopback import foreign_host, from_a_page
from ws_lambda.local.parent_pipe import ParentPipe
from ws_lambda.local.startup import uncollected

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of a request: DynamoDB's own limit for a batch."""

logger = logging.getLogger("ws_lambda.local.dynamodb")


class Handler(BaseHTTPRequestHandler):
    """Answers the one kind of request that DynamoDB has, a POST of JSON."""

    server: "DynamoDBServer"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body go out together

    def do_POST(self) -> None:
        """Carries out a request, unless it is refused."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            self.close_connection = True
            self._say(
                error(413, "RequestEntityTooLarge", f"A request needs a Content-Length of at most {BODY_LIMIT} bytes.")
            )
            return
        body = self.rfile.read(int(length))
        self._say(self._refusal(body) or self._answer(body))

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""

    def _refusal(self, body: bytes) -> Answer | None:
        if wrong := foreign_host(self.headers) or from_a_page(self.headers):
            return error(403, "AccessDeniedException", wrong)
        headers = tuple(self.headers.items())
        path, _, query = self.path.partition("?")
        request = sigv4.Request(method="POST", raw_path=path, query_string=query, headers=headers, body=body)
        try:
            sigv4.verify(request, self.server.keys, service="dynamodb", now=clock.now())
        except sigv4.BadSignatureError as wrong:
            return error(400, "InvalidSignatureException", str(wrong))
        if self.path != "/" or self._operation() not in OPERATIONS:
            return error(400, "UnknownOperationException", "The local DynamoDB does not have this operation.")
        return None

    def _operation(self) -> str:
        target = self.headers.get("X-Amz-Target", "")
        return target.removeprefix(TARGET) if target.startswith(TARGET) else ""

    def _answer(self, body: bytes) -> Answer:
        try:
            return self.server.engine.answer(self._operation(), self.headers["Authorization"], body)
        except Exception as bug:
            logger.exception("moto failed on %s", self._operation())
            return error(500, "InternalServerError", f"{type(bug).__name__}: {bug}")

    def _say(self, answer: Answer) -> None:
        self.send_response(answer.status)
        ours = {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(answer.body))}
        for name, value in {**{name.title(): one for name, one in answer.headers.items()}, **ours}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()


class DynamoDBServer(ThreadingHTTPServer):
    """Serves on a socket that already listens, with a thread for each connection."""

    def __init__(self, listening: socket.socket, engine: Engine, keys: Mapping[str, str]) -> None:
        super().__init__(listening.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.engine, self.keys = engine, keys

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that hang up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def error(status: int, kind: str, message: str) -> Answer:
    """An error in the form that clients of DynamoDB expect."""
    body = json.dumps({"__type": f"com.amazon.coral.service#{kind}", "message": message}).encode()
    return Answer(status, {}, body)


def main() -> None:
    """The process's entry point. The run's access key and secret are in its environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--http-fd", type=int, required=True)
    parser.add_argument("--parent-pipe-fd", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ParentPipe(options.parent_pipe_fd)
    keys = {os.environ["AWS_ACCESS_KEY_ID"]: os.environ["AWS_SECRET_ACCESS_KEY"]}
    with uncollected():
        engine = Engine()
    gc.set_threshold(50_000, 50, 100)  # rows are not garbage, and looking through them takes long
    DynamoDBServer(socket.socket(fileno=options.http_fd), engine, keys).serve_forever()


if __name__ == "__main__":
    main()
