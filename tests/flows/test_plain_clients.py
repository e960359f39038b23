"""Clients that know nothing of this project, against `manage.py ws_local` with the demo."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import boto3
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_and_block

from tests.local_site import LocalSite

CLIENTS, MESSAGES = 50, 12
PATIENCE = 240


@pytest.fixture
def room() -> str:
    return f"room-{uuid4().hex[:8]}"


@pytest.fixture
def boto(site: LocalSite) -> Any:
    return boto3.client("apigatewaymanagementapi", endpoint_url=site.management_url, **site.keys)


def origin(site: LocalSite) -> Any:
    return site.url


def test_a_plain_client_talks_and_is_answered(site: LocalSite, room: str) -> None:
    url = site.log_in("red").socket_url(room)
    with connect_and_block(url, origin=origin(site)) as socket:
        socket.send(json.dumps({"action": "chat_message", "message": "Hello", "id": "m1"}))
        frames = [json.loads(socket.recv(PATIENCE)) for _ in range(2)]
        said = next(frame for frame in frames if frame.get("type") == "message")
        assert {"ack": "m1", "sequence": said["sequence"]} in frames
        assert (said["message"], said["sender"], said["id"]) == ("Hello", "red", "m1")
        socket.send(json.dumps({"action": "history", "after": None}))
        history = json.loads(socket.recv(PATIENCE))
        assert [message["message"] for message in history["messages"]] == ["Hello"]
        assert history["recovered"] is True


def test_a_token_opens_one_connection_only(site: LocalSite, room: str) -> None:
    url = site.log_in("red").socket_url(room)
    with (
        connect_and_block(url, origin=origin(site)),
        pytest.raises(InvalidStatus) as refused,
        connect_and_block(url, origin=origin(site)),
    ):
        pass
    assert refused.value.response.status_code == 401


def test_unmodified_boto3_sends_looks_and_closes(site: LocalSite, room: str, boto: Any) -> None:
    with connect_and_block(site.log_in("blue").socket_url(room), origin=origin(site)) as socket:
        socket.send('{"action": "nobody-listens"}')
        connection_id = json.loads(socket.recv(PATIENCE))["connectionId"]
        boto.post_to_connection(ConnectionId=connection_id, Data=b'{"from": "boto3"}')
        assert json.loads(socket.recv(PATIENCE)) == {"from": "boto3"}
        about = boto.get_connection(ConnectionId=connection_id)
        assert about["Identity"]["SourceIp"] == "127.0.0.1"
        assert about["ConnectedAt"] <= about["LastActiveAt"]
        boto.delete_connection(ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    with pytest.raises(boto.exceptions.GoneException):
        boto.post_to_connection(ConnectionId=connection_id, Data=b"{}")


def test_everyone_in_a_room_of_fifty_gets_every_message(site: LocalSite, room: str) -> None:
    people = [site.log_in(name) for name in ("red", "blue", "staff")]
    urls = [people[number % len(people)].socket_url(room) for number in range(CLIENTS)]
    heard = asyncio.run(_talk(urls, origin(site)))
    assert len(heard) == CLIENTS
    said = sorted(heard[0])
    assert [message for _sequence, message in said] == [f"Message {number}" for number in range(MESSAGES)]
    assert [sequence - said[0][0] for sequence, _message in said] == list(range(MESSAGES))
    assert all(sorted(one) == said for one in heard)


class Guest:
    """One of the fifty, and what he has heard."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._confirmed: dict[str, asyncio.Event] = {}
        self.heard: list[tuple[int, str]] = []

    async def say(self, message: str) -> None:
        """Returns when the server has confirmed."""
        self._confirmed[message] = asyncio.Event()
        await self._socket.send(json.dumps({"action": "chat_message", "message": message, "id": message}))
        await self._confirmed[message].wait()

    async def listen(self) -> list[tuple[int, str]]:
        """Until everything is heard, and all of his own is confirmed."""
        async for raw in self._socket:
            frame = json.loads(raw)
            if frame.get("type") == "message":
                self.heard.append((frame["sequence"], frame["message"]))
            elif "ack" in frame:
                self._confirmed[frame["ack"]].set()
            if len(self.heard) >= MESSAGES and all(one.is_set() for one in self._confirmed.values()):
                break
        return self.heard


async def _talk(urls: list[str], origin: Any) -> list[list[tuple[int, str]]]:
    """Opens all connections, says everything, now one and then another, and returns what each one heard."""
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        guests = [Guest(await stack.enter_async_context(connect(url, origin=origin))) for url in urls]
        listening = [asyncio.create_task(guest.listen()) for guest in guests]
        for number in range(MESSAGES):
            await guests[number % len(guests)].say(f"Message {number}")
        return await asyncio.gather(*listening)
