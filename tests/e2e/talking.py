"""Clients of a deployment: they connect, talk to each other, and are refused."""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from tests.e2e.deployment import STAGE, Browser, Deployment


def seconds(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def refused(deployment: Deployment, **query: str) -> None:
    with pytest.raises(InvalidStatus) as caught, deployment.websocket(query):
        pass
    assert caught.value.response.status_code in (401, 403)


def a_token_opens_one_connection(deployment: Deployment, browser: Browser) -> None:
    query = {"channel": "general", "ws_token": browser.token()["token"]}
    with deployment.websocket(query):
        refused(deployment, **query)


def enter(deployment: Deployment, browser: Browser, channel: str) -> Any:
    minted = browser.token()
    assert minted["url"] == deployment.variable("WS_LAMBDA_WEBSOCKET_URL")
    return deployment.websocket({"channel": channel, "ws_token": minted["token"]})


def ask(client: ClientConnection, **body: Any) -> dict[str, Any]:
    """Sends a message and returns its answer. Other frames that arrive in between are ignored."""
    client.send(json.dumps(body))
    return frame(client, lambda one: one.get("type") not in ("message", "presence", "note") and "ack" not in one)


def frame(client: ClientConnection, wanted: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        one: dict[str, Any] = json.loads(client.recv(timeout=max(0.1, deadline - time.monotonic())))
        if wanted(one):
            return one


def chat(one: ClientConnection, two: ClientConnection) -> None:
    for speaker, listener, text in ((one, two, "hello"), (two, one, "hello yourself")):
        speaker.send(json.dumps({"action": "chat_message", "message": text, "id": text}))
        for client in (speaker, listener):
            assert frame(client, lambda got, text=text: got.get("message") == text)  # type: ignore[misc]


def round_trip(client: ClientConnection) -> float:
    """The median time of a message and its answer, in milliseconds."""
    taken = []
    for _ in range(15):
        taken.append(seconds(lambda: ask(client, action="ping")))
    return 1000 * statistics.median(taken)


def custom_route(client: ClientConnection) -> None:
    assert ask(client, action="who") == {"route": "who", "user": "red"}
    assert ask(client, action="nowhere", handler="who") == {"route": "$default", "user": "red"}


def multicast_and_broadcast(one: ClientConnection, two: ClientConnection) -> None:
    note = {"type": "note", "text": "to the room"}
    assert ask(one, handler="multicast", channel="general", message=note) == {"sent": 2, "queued": 0, "failed": 0}
    note_to_all = {"type": "note", "text": "to the two of us"}
    assert ask(one, handler="broadcast", message=note_to_all) == {"sent": 2, "queued": 0, "failed": 0}
    for wanted in (note, note_to_all):
        assert frame(two, lambda got, wanted=wanted: got == wanted)  # type: ignore[misc]
    assert ask(one, handler="multicast", channel="empty", message=note)["sent"] == 0


def through_the_queue(deployment: Deployment, browser: Browser, one: ClientConnection, two: ClientConnection) -> None:
    """Three recipients are one too many for a send without the queue. The third is in another room."""
    note = {"type": "note", "text": "to everybody"}
    with enter(deployment, browser, "elsewhere") as three:
        report = ask(one, handler="broadcast", message=note)
        assert report["queued"] > 0
        for client in (one, two, three):
            assert frame(client, lambda got: got == note)
    queue = deployment.aws.client("sqs")
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> int:
        found = queue.get_queue_attributes(
            QueueUrl=deployment.aws.queue_url(f"demo-{STAGE}-fanout"), AttributeNames=wanted
        )["Attributes"]
        return sum(int(found[name]) for name in wanted)

    until(lambda: left() == 0, 240, "the queue did not empty")


def until(holds: Callable[[], bool], seconds: float, why: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, why
        time.sleep(0.5)
