"""Faults of the network between the code under test and DynamoDB."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

from botocore.retries.quota import RetryQuota
from botocore.retries.standard import ExponentialBackoff

from ws_lambda.local.dynamodb_faults import DynamoDBFaults, FaultyDynamoDB, faulty
from ws_lambda.testing.dynamodb_clients import forget

RETRY_SECONDS = 0.01
"""botocore's pause before each retry. Without this it would be up to one, two and four seconds."""

upstreams: dict[str, str] = {}
"""The endpoint behind each proxy. Tables that are made through a proxy stay there when the proxy has ended."""


@contextmanager
def dynamodb_faults(faults: DynamoDBFaults | None = None, *, seed: int = 1) -> Iterator[FaultyDynamoDB]:
    """Sends every request to DynamoDB through a proxy that loses some of them. Use it inside `tables()`.

        with dynamodb_faults(DynamoDBFaults(cut=0.5)) as proxy:
            client.send_json({"action": "say", "text": "Hello"})
        assert proxy.seen["PutItem", "cut"] > 0

    Args:
        faults: the faults at the beginning. Default: none. Assign `proxy.faults` to change them.
        seed: with the same seed, the same requests in the same order meet the same faults.
    """
    named = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB")
    quick = mock.patch.object(ExponentialBackoff, "delay_amount", lambda _self, _context: RETRY_SECONDS)
    # After a hundred failures a botocore client makes only one attempt. Here it always makes all of them.
    generous = mock.patch.object(RetryQuota, "acquire", lambda _self, _amount: True)
    place = nullcontext(named) if named else _memory_by_http()
    with (
        quick,
        generous,
        place as upstream,
        faulty(upstream, faults, seed=seed) as proxy,
        _endpoint(proxy.url, upstream),
    ):
        yield proxy


@contextmanager
def _endpoint(url: str, upstream: str) -> Iterator[None]:
    named = mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL_DYNAMODB": url})
    with named, mock.patch.dict(upstreams, {url: upstream}):
        forget()
        yield
    forget()


@contextmanager
def _memory_by_http() -> Iterator[str]:
    """Serves this process's moto tables on loopback, so that a proxy can be put in front of them."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, *_args: object) -> None:
            """Logs nothing, so that the log has only lines of the code under test."""

    app = _in_turn(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, name="moto", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _in_turn(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Lets one request run at a time, although each connection has a thread: see `taking_turns`."""
    turns = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with turns:
            return list(app(environ, start_response))

    return answer
