"""A busy room over real sockets: four speakers, fourteen messages a second, and newcomers all the time.

Between the commit of its session and the return of its `$connect`, a newcomer is in the room but cannot be sent to
yet. The local gateway makes that time longer, as a cold start does. No message may be lost because of it.
"""

import asyncio
import json
import os
import re
import time
from typing import Any

import aiohttp

from tests.local_site import LocalSite, Visitor, running

TALKERS, PER_SECOND = 4, 14
NEWCOMERS = int(os.environ.get("WS_LAMBDA_NEWCOMERS", "20"))
"""Few, so that a busy machine can keep up. WS_LAMBDA_NEWCOMERS=500 runs the whole story."""

AT_ONCE = 5
STAYS = 1.0
"""Seconds. A newcomer must have received every message of this time."""

PATIENCE = 60.0
ROOM = "busy"


class Room:
    """When each message was sent, by the clock of this process."""

    def __init__(self) -> None:
        self.said: dict[int, float] = {}
        self.over = False

    def owed(self, since: float, until: float) -> set[int]:
        return {number for number, at in self.said.items() if since <= at <= until}


def heard_in(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"said-(\d+)-", text)}


async def talk(session: aiohttp.ClientSession, url: str, room: Room, first: int) -> None:
    """Sends a message every 4/14 seconds. On a busy machine it waits until its last message has come back."""
    async with session.ws_connect(url, max_msg_size=0) as ws:
        number = first
        while not room.over:
            room.said[number] = time.monotonic()
            await ws.send_json({"action": "chat_message", "message": f"said-{number}-", "id": str(number)})
            await asyncio.gather(hear(ws, number), asyncio.sleep(TALKERS / PER_SECOND))
            number += TALKERS


async def hear(ws: aiohttp.ClientWebSocketResponse, number: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while number not in heard_in(str((await ws.receive()).data)):
            assert not ws.closed


async def visit(session: aiohttp.ClientSession, url: str, room: Room) -> str:
    """Connects a newcomer, which listens and sends a ping. Returns what went wrong, or ""."""
    async with session.ws_connect(url, max_msg_size=0) as ws:
        opened, heard, pong = time.monotonic(), set[int](), False
        await ws.send_json({"action": "ping"})
        owed = set[int]()
        while time.monotonic() < opened + PATIENCE:
            if time.monotonic() > opened + STAYS:
                owed = room.owed(opened, opened + STAYS)
                if owed <= heard and pong:
                    return ""
            try:
                message = await ws.receive(timeout=0.5)
            except TimeoutError:
                continue
            if message.type is not aiohttp.WSMsgType.TEXT:
                return f"closed with {ws.close_code}"
            heard |= heard_in(message.data)
            pong = pong or json.loads(message.data).get("type") == "pong"
        return f"missed {sorted(owed - heard)} of {len(owed)}, {'answered' if pong else 'never answered'}"


async def story(site: LocalSite, visitor: Visitor) -> list[str]:
    room, gate = Room(), asyncio.Semaphore(AT_ONCE)

    async def newcomer(session: aiohttp.ClientSession) -> str:
        async with gate:
            url = await asyncio.to_thread(visitor.socket_url, ROOM)
            return await visit(session, url, room)

    origin = {"Origin": site.url}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=origin) as session:
        urls = [await asyncio.to_thread(visitor.socket_url, ROOM) for _ in range(TALKERS)]
        talkers = [asyncio.create_task(talk(session, url, room, first)) for first, url in enumerate(urls)]
        found: list[Any] = await asyncio.gather(*(newcomer(session) for _ in range(NEWCOMERS)), return_exceptions=True)
        room.over = True
        await asyncio.gather(*talkers)
    assert len(room.said) > PER_SECOND
    return [str(one) for one in found if one]


def test_no_message_is_lost_in_a_busy_room() -> None:
    with running(options=("--fault", "connect.slow=0.15")) as site:
        lost = asyncio.run(story(site, site.log_in("red")))
    assert lost == [], f"{len(lost)} of {NEWCOMERS}"
