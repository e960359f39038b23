"""The senders that are compared. Each runs in a process of its own: `python -m benchmarks.senders ours URL 1000`.

Prints one line of JSON: deliveries, seconds, CPU seconds of the process, and its peak memory.
"""

import asyncio
import atexit
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

MESSAGE = {"type": "chat_message", "message": "hello everyone"}
BODY = json.dumps(MESSAGE, separators=(",", ":")).encode()
CONNECTIONS = 128
"""What FANOUT_CONNECTIONS is by default; aiohttp gets as many."""


def connection_id(number: int) -> str:
    """An id that looks like API Gateway's."""
    return f"BFHPh{number:09}A="


def ours(endpoint: str) -> Callable[[int], None]:
    """The sender of this package, reports and all."""
    from ws_lambda import delivery

    def members(count: int) -> Iterator[delivery.Recipient]:
        return (delivery.Recipient(connection_id(number), endpoint, 1) for number in range(count))

    def send(count: int) -> None:
        report = delivery.send(delivery.Listed(members(count)), MESSAGE, on_gone=lambda _gone: None)
        assert report.sent == count, report

    return send


def boto3(endpoint: str, threads: int) -> Callable[[int], None]:
    """A client of the AWS SDK, by one thread or by a pool: what the existing Django package does."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    client = session.create_client(
        "apigatewaymanagementapi", endpoint_url=endpoint, config=Config(max_pool_connections=threads)
    )

    def one(number: int) -> None:
        client.post_to_connection(ConnectionId=connection_id(number), Data=BODY)

    def send(count: int) -> None:
        if threads == 1:
            for number in range(count):
                one(number)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(one, range(count)):
                pass

    return send


def aiohttp(endpoint: str) -> Callable[[int], None]:
    """aiohttp, with the signatures of this package, so that only the HTTP differs; its connections are kept too."""
    import ssl

    from aiohttp import ClientSession, DummyCookieJar, TCPConnector
    from yarl import URL

    from ws_lambda import delivery
    from ws_lambda.delivery.connection_requests import ConnectionRequests

    async def opened() -> ClientSession:
        context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
        connector = TCPConnector(limit=CONNECTIONS, ssl=context)
        return ClientSession(connector=connector, cookie_jar=DummyCookieJar())

    async def everyone(count: int) -> None:
        api = ConnectionRequests("POST", BODY)
        numbers = iter(range(count))

        async def worker() -> None:
            for number in numbers:
                made = api.request(delivery.Recipient(connection_id(number), endpoint, 1), 5.0, None)
                async with session.post(URL(made.url, encoded=True), data=BODY, headers=dict(made.headers)) as response:
                    assert response.status == 200

        await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))

    runner = asyncio.Runner()
    session = runner.run(opened())
    atexit.register(lambda: runner.run(session.close()))
    return lambda count: runner.run(everyone(count))


def make(kind: str, endpoint: str) -> Callable[[int], None]:
    """The sender of a name: ours, boto3_1, boto3_10, aiohttp."""
    if kind.startswith("boto3"):
        return boto3(endpoint, int(kind.rpartition("_")[2]))
    return {"ours": ours, "aiohttp": aiohttp}[kind](endpoint)


def main(kind: str, endpoint: str, count: str) -> None:
    settings.configure(WS_LAMBDA={"FANOUT_MAX_RPS": 0, "FANOUT_CONNECTIONS": CONNECTIONS})
    send = make(kind, endpoint)
    send(max(CONNECTIONS * 2, int(count) // 20))  # connections, imports, caches
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    send(int(count))
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"count": int(count), "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
