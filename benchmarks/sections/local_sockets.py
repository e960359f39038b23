"""`ws_local` under a thousand open sockets: what a connect takes, what its DynamoDB weighs, and 300 at once.

Each socket is a user's with a token, as in a browser: three requests to DynamoDB, one of them a transaction.
"""

import asyncio
import shutil
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiohttp import ClientResponseError, ClientSession, TCPConnector, WSServerHandshakeError

from benchmarks.local_run import LocalRun, running, wait_for

ROOT = Path(__file__).resolve().parents[2]
SOCKETS = 1_000
AT_ONCE = 300
ACCOUNTS = 50

SETTINGS = f"""
from project.settings import *
WS_LOCAL_ACCOUNTS = {{f"user-{{number}}": {{"password": "x"}} for number in range({ACCOUNTS})}}
WS_LAMBDA |= {{"CONNECTS_PER_MINUTE": 100_000, "TOKENS_PER_MINUTE": 100_000, "TOKEN_SECONDS": 600}}
"""


def measure() -> dict[str, Any]:
    """The section of results.json."""
    with tempfile.TemporaryDirectory() as scratch:
        demo = Path(scratch)
        set_up(demo)
        with running(demo, DJANGO_SETTINGS_MODULE="crowded") as run:
            wait_for(f"{run.site}/login/")
            return asyncio.run(_measure(run))


def set_up(demo: Path) -> None:
    """Puts the demo project into a folder, with the settings `crowded`."""
    shutil.copytree(ROOT / "project", demo / "project", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", demo)
    (demo / "crowded.py").write_text(SETTINGS)
    (demo / "awscrt.py").write_text("raise ImportError")  # see `loop`


async def _measure(run: LocalRun) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=0)))
        tokens = [await token(http, run, number) for number in range(SOCKETS + AT_ONCE)]
        await open_socket(http, run, tokens[0], stack)  # whatever the first one alone has to load
        begun, worked = time.perf_counter(), run.database_cpu()
        for one in tokens[1:SOCKETS]:
            await open_socket(http, run, one, stack)
        took, worked = time.perf_counter() - begun, run.database_cpu() - worked
        weight = run.database_mb()
        opened = await asyncio.gather(*(_opened(http, run, one, stack) for one in tokens[SOCKETS:]))
    return {
        "sockets": SOCKETS,
        "connect_ms": round(took / (SOCKETS - 1) * 1000, 1),
        "database_cpu_ms": round(worked / (SOCKETS - 1) * 1000, 1),
        "database_mb": round(weight),
        "at_once": AT_ONCE,
        "at_once_open": sum(opened),
    }


async def token(http: ClientSession, run: LocalRun, number: int) -> str:
    account = {"username": f"user-{number % ACCOUNTS}"}
    async with http.post(f"{run.gateway}/_page/token", json=account, headers={"X-Local-Page": "1"}) as answer:
        return str((await answer.json())["token"])


async def open_socket(http: ClientSession, run: LocalRun, token: str, stack: AsyncExitStack) -> None:
    await stack.enter_async_context(
        http.ws_connect(f"{run.gateway}/local?channel=general&ws_token={token}", origin=run.site)
    )


async def _opened(http: ClientSession, run: LocalRun, token: str, stack: AsyncExitStack) -> bool:
    try:
        await open_socket(http, run, token, stack)
    except (WSServerHandshakeError, ClientResponseError):
        return False
    return True


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    count = f"{result['sockets']:,}"
    return [
        (f"ws_local, a connect of {count}", f"{result['connect_ms']} ms", "site, gateway and DynamoDB"),
        ("ws_local, DynamoDB's work for it", f"{result['database_cpu_ms']} ms", "<= 10 ms"),
        (f"ws_local, DynamoDB with {count}", f"{result['database_mb']} MB", "<= 200 MB"),
        ("ws_local, at once", f"{result['at_once_open']} of {result['at_once']} open", "all"),
    ]
