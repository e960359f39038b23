"""Ten thousand members removed from a channel of `ws_local`, on dynoxide, by one `ws_permissions set`.

A thousand of them have sockets, which are closed, and whose `$disconnect` the function has to answer meanwhile.
"""

import asyncio
import os
import shlex
import tempfile
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector

from benchmarks import dynoxide, process
from benchmarks.local_run import ROOT, LocalRun, running, wait_for
from benchmarks.sections import local_sockets

MEMBERS = 10_000
SOCKETS = 1_000
_AT_ONCE = 20

SETTINGS = """
from crowded import *
ROOT_URLCONF = "quiet_urls"
"""

URLS = """
from django.urls import path
from project.urls import urlpatterns as demo
from ws_lambda.views import WebSocketView

urlpatterns = [path("ws/<slug:route>", WebSocketView.as_view()), *demo]
"""
"""The demo's own view tells everybody in the room of every departure: a thousand broadcasts to ten thousand."""


def measure() -> dict[str, Any]:
    """The section of results.json; empty without dynoxide."""
    try:
        return _measured()
    except dynoxide.Missing as missing:
        print(missing)
        return {}


def _measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch, dynoxide.serving() as engine:
        demo = Path(scratch)
        local_sockets.set_up(demo)
        (demo / "quiet.py").write_text(SETTINGS)
        (demo / "quiet_urls.py").write_text(URLS)
        with running(demo, DJANGO_SETTINGS_MODULE="quiet", AWS_ENDPOINT_URL_DYNAMODB=engine) as run:
            wait_for(f"{run.site}/login/")
            return asyncio.run(_measure(run, demo))


async def _measure(run: LocalRun, demo: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=0)))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def connect(number: int) -> None:
            async with gate:
                token = await local_sockets.token(http, run, number)
                await local_sockets.open_socket(http, run, token, stack)

        await asyncio.gather(*map(connect, range(SOCKETS)))
        env = _environment(run) | {
            "DJANGO_SETTINGS_MODULE": "quiet",
            "PYTHONPATH": os.pathsep.join([str(demo), str(ROOT)]),
        }
        return await asyncio.to_thread(process.run, "benchmarks.evictions", MEMBERS, env=env)


def _environment(run: LocalRun) -> dict[str, str]:
    """What `eval "$(curl -s …/env)"` sets."""
    with urllib.request.urlopen(f"{run.gateway}/env") as answer:  # noqa: S310 - our own server
        lines = answer.read().decode().splitlines()
    words = [word for line in lines for word in shlex.split(line)]
    return dict(word.split("=", 1) for word in words if "=" in word)


def rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Lines of the table."""
    if not result:
        return []
    return [(f"{result['members']:,} members removed, ws_local", f"{result['seconds']} s", "<= 30 s")]
