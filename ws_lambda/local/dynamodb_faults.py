"""A proxy before DynamoDB that injects faults: it throttles, fails, and cuts connections before or after the write.

The most important fault is a connection that is cut after the write. The write has been done, the caller gets no
answer, and botocore makes the request again: the second request meets the work of the first.
"""

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from aiohttp import ClientSession, TCPConnector, web

from ws_lambda.local.loopback import foreign_host, from_a_page

DATA_OPERATIONS = frozenset(
    {
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems",
        "TransactWriteItems", "UpdateItem",
    }
)  # fmt: skip
"""The operations that meet faults by default. Creating tables does not."""

MAX_BODY = 20 * 1024 * 1024
"""Bytes of a request: more than the 16 MB of a BatchWriteItem.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

_NOT_FORWARDED = {"accept-encoding", "connection", "content-encoding", "content-length", "date", "server"}
_NOT_FORWARDED |= {"transfer-encoding"}


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamoDBFaults:
    """The share of requests that meet each fault. Shares are from 0 to 1, and add up to 1 at most."""

    cut: float = 0.0
    """The request is carried out, and the connection ends without an answer."""

    cut_before: float = 0.0
    """The connection ends, and the request is not carried out."""

    throttle: float = 0.0
    """Answered with ProvisionedThroughputExceededException, and not carried out."""

    error: float = 0.0
    """Answered with status 500, and not carried out."""

    operations: frozenset[str] = DATA_OPERATIONS
    """The operations that meet the faults, such as `{"PutItem"}`."""

    def __post_init__(self) -> None:
        shares = [getattr(self, kind) for kind in kinds()]
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("Shares of faults are from 0 to 1, and all of them together at most 1.")


def kinds() -> list[str]:
    """The names of the faults, in the order in which the dice decide."""
    return [one.name for one in fields(DynamoDBFaults) if one.name != "operations"]


class FaultyDynamoDB:
    """The proxy. `faults` may be replaced at any time, from any thread."""

    def __init__(self, upstream: str, faults: DynamoDBFaults | None = None, *, seed: int | None = None) -> None:
        self.faults = faults or DynamoDBFaults()
        self.url = ""
        """The address that it listens on, when it has been started."""

        self.seen: Counter[tuple[str, str]] = Counter()
        """How often each operation met each fault. The fault "" counts requests that met none."""

        self._upstream = upstream.rstrip("/")
        self._random = random.Random(seed)  # noqa: S311 - which request is lost is no secret
        self._client: ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, site: Any = None) -> None:
        """Begins to listen on a socket, or on a free port of 127.0.0.1."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._client = ClientSession(connector=TCPConnector(limit=0), auto_decompress=False)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        if site is not None:
            await web.SockSite(self._runner, site).start()
        else:
            await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Ends all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    def _fault(self, operation: str) -> str:
        """The fault that a request meets, or "". Without faults no random number is drawn, so runs can be repeated."""
        faults = self.faults
        shares = {kind: getattr(faults, kind) for kind in kinds()}
        if operation not in faults.operations or not any(shares.values()):
            return ""
        drawn = self._random.random()
        for kind, share in shares.items():
            if drawn < share:
                return kind
            drawn -= share
        return ""

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if wrong := foreign_host(request.headers) or from_a_page(request.headers):
            return _error(403, "AccessDeniedException", wrong)
        body = await request.read()
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = self._fault(operation)
        self.seen[operation, fault] += 1
        if fault == "throttle":
            return _error(400, "ProvisionedThroughputExceededException", "An injected fault: too many requests.")
        if fault == "error":
            return _error(500, "InternalServerError", "An injected fault: an internal error.")
        if fault == "cut_before":
            return _cut(request)
        answer = await self._forward(request, body)
        return _cut(request) if fault == "cut" else answer

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        """Asks DynamoDB. The Host stays as the client signed it."""
        if self._client is None:
            raise RuntimeError("The proxy has not been started.")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_FORWARDED}
        url = self._upstream + request.path_qs
        async with self._client.request(request.method, url, data=body, headers=headers) as response:
            kept = {name: value for name, value in response.headers.items() if name.lower() not in _NOT_FORWARDED}
            return web.Response(status=response.status, body=await response.read(), headers=kept)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _error(status: int, code: str, message: str) -> web.Response:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    return web.Response(status=status, body=body.encode(), content_type="application/x-amz-json-1.0")


@contextmanager
def faulty(upstream: str, faults: DynamoDBFaults | None = None, *, seed: int | None = None) -> Iterator[FaultyDynamoDB]:
    """The proxy in a thread of its own, for the time of a `with` block; `url` says where it listens.

    Args:
        upstream: the endpoint URL of the DynamoDB behind it.
        faults: what goes wrong from the beginning; nothing by default.
        seed: the same requests in the same order meet the same faults.
    """
    proxy = FaultyDynamoDB(upstream, faults, seed=seed)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="dynamodb-faults", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result()
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
