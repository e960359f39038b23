"""Many sockets at once on `ws_local`: all of them open, and DynamoDB's process stays small.

Its times are measured by `make bench SECTIONS=local_sockets`.
"""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

from tests.unit.local.conftest import PATIENCE, running
from tests.unit.local.test_ws_local_ending import child

AT_ONCE = 200
MEGABYTES = 200
"""moto by itself has 80. While it copied whole tables for each transaction, it had 260 with 200 sockets."""


def test_two_hundred_at_once_all_open_and_are_answered(folder: Path) -> None:
    with running(folder, "--noreload", f"--quota=integration_timeout={PATIENCE}") as run:
        assert asyncio.run(answers(run.gateway)) == ['{"version": 1, "door": "GatewayRequest"}'] * AT_ONCE
        status = Path(f"/proc/{child(run.process, 'dynamodb')}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert resident / 1024 < MEGABYTES


async def answers(url: str) -> list[str]:
    """Connects all at once, and once all are open has one after another say something; what each is answered."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=0)))
        opening = (stack.enter_async_context(http.ws_connect(f"{url}?channel=general")) for _ in range(AT_ONCE))
        sockets = await asyncio.gather(*opening)
        return [await answer(one) for one in sockets]


async def answer(one: ClientWebSocketResponse) -> str:
    """What a socket is answered."""
    await one.send_str("{}")
    return str(await one.receive_str(timeout=PATIENCE))
