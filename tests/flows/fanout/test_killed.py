"""A worker killed in the middle of a queued broadcast: real processes, a real queue, a real redelivery."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from tests import dynamodb_server, engines
from tests.far_side import FarSide
from ws_lambda import aws, delivery
from ws_lambda.delivery import reading
from ws_lambda.delivery.dispatch import PROGRESS_EVERY
from ws_lambda.local.sqs import LocalQueue
from ws_lambda.models import ChannelMembership, FanoutJob
from ws_lambda.tables import shared_connection

MEMBERS = 3_000
PATIENCE = 300.0
BIG = delivery.ChannelMembers("big")
WS_LAMBDA = {
    "TABLE_PREFIX": "killed_",
    "FANOUT_INLINE_MAX": 100,
    "FANOUT_WORKERS": 1,
    "FANOUT_MAX_RPS": 4_000,
    "FANOUT_CONNECTIONS": 64,
}


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DynamoDB and credentials, for this process and those that it starts."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with dynamodb_server.serving() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        aws.forget()
        shared_connection.forget_connection()
        yield
    aws.forget()
    shared_connection.forget_connection()


class Workers:
    """Invokes the function in a new process each time; kills the first one when enough has been sent.

    Until it is dead nobody else gets an answer, however late the signal comes.
    """

    def __init__(self, far: FarSide, kill_at: int) -> None:
        self.exit_codes: list[int | None] = []
        self._far = far
        self._kill_at = kill_at
        far.behave = lambda _id, _before: "hang" if self._is_time() and not self.exit_codes else 200

    async def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fanout_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        killer = asyncio.create_task(self._kill(process)) if not self.exit_codes else None
        out, _ = await process.communicate(json.dumps(event).encode())
        if killer:
            killer.cancel()
        self.exit_codes.append(process.returncode)
        if process.returncode:
            raise RuntimeError(f"the worker ended with {process.returncode}")
        return dict(json.loads(out))

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        while not self._is_time():
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGKILL)

    def _is_time(self) -> bool:
        return len(self._far.requests) >= self._kill_at


def fill(far: FarSide) -> set[str]:
    """A channel with all its members; their connection ids."""
    for table in (ChannelMembership, FanoutJob):
        table.create_table(billing_mode="PAY_PER_REQUEST")
    ids = [f"K{number * 7919 % 100_000:05}x=" for number in range(MEMBERS)]
    items = [
        {
            "channel": {"S": "big"},
            "connection_id": {"S": connection_id},
            "endpoint_url": {"S": far.endpoint_url},
            "connected_at": {"N": "1700000000000"},
        }
        for connection_id in ids
    ]
    engines.put_many("killed_memberships", items)  # the server is in this process
    return set(ids)


def test_nobody_is_left_out(surroundings: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[delivery.DeliveryReport] = []
    with FarSide().serving() as far:
        workers = Workers(far, kill_at=MEMBERS // 3)

        async def story() -> None:
            app = web.Application()
            queue = LocalQueue(workers, visibility_timeout=2, concurrency=1)
            queue.mount(app, "/_sqs", {"AKIDEXAMPLE": "secret"})
            runner = web.AppRunner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            endpoint = "http://{}:{}/_sqs".format(*runner.addresses[0][:2])
            configured = {**WS_LAMBDA, "FANOUT_QUEUE_URL": queue.url(endpoint)}
            settings.WS_LAMBDA = configured
            monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
            given = {"settings": configured, "lease": 1.0, "seconds": PATIENCE, "page": PATIENCE}
            monkeypatch.setenv("FANOUT_PROCESS", json.dumps(given))
            aws.forget()
            await queue.start()
            try:
                await asyncio.to_thread(lambda: reports.append(delivery.send(BIG, "x", on_gone=lambda _gone: None)))
                async with asyncio.timeout(PATIENCE):
                    while queue.waiting:
                        await asyncio.sleep(0.02)
            finally:
                await queue.stop()
                await runner.cleanup()
            assert not queue.dead

        monkeypatch.setattr(reading, "TIMEOUT", PATIENCE)
        settings.WS_LAMBDA = WS_LAMBDA
        everyone = fill(far)
        asyncio.run(story())
        delivered = dict(far.delivered)

    assert reports[0].queued == 1 and reports[0].sent == 0
    assert workers.exit_codes[0] == -signal.SIGKILL
    assert set(workers.exit_codes[1:]) == {0}, "one that comes before the dead one's lease has run out comes again"
    assert delivered.keys() == everyone
    twice = sum(count - 1 for count in delivered.values())
    assert max(delivered.values()) <= 2
    assert twice <= PROGRESS_EVERY + WS_LAMBDA["FANOUT_CONNECTIONS"]  # type: ignore[operator]
    (job,) = FanoutJob.scan()
    assert (job.finished, int(job.sent), int(job.gone), int(job.failed)) == (True, MEMBERS, 0, 0)
