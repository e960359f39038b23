"""A gateway under test, seen from outside: sockets, @connections, and the events of its function."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.config import Config
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

PATIENCE = 60.0
"""Seconds to wait for something that should happen."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An API to deploy: route key → whether it has a route response."""

    name: str
    routes: dict[str, bool]
    expression: str = "$request.body.action"
    domain: str = ""
    """A custom domain."""

    mapping: str | None = None
    """The path that the custom domain maps to the stage."""


FULL = Shape(
    name="full", routes={"$connect": False, "$disconnect": False, "$default": True, "chat": True, "quiet": False}
)
BARE = Shape(name="bare", routes={"chat": True})
NESTED = Shape(
    name="nested",
    routes={"$connect": False, "$default": True, "5": True, "true": True, "deep": True},
    expression="$request.body.a.b",
)
CUSTOM = Shape(name="custom", routes={"$connect": False, "chat": True}, domain="ws.example.com", mapping="live")
CUSTOM_ROOT = Shape(name="custom-root", routes={"$connect": False, "chat": True}, domain="ws.example.com", mapping="")


@dataclass(frozen=True, kw_only=True)
class DeployedApi:
    """A deployed API."""

    url: str
    """The URL that clients connect to."""

    endpoint: str
    """The URL of @connections."""

    events_file: Path
    api_id: str
    stage: str
    domain_name: str
    keys: tuple[str, str] = ("local", "local")
    clients: list[Any] = field(default_factory=list)
    """Clients of @connections, to be closed with the API."""

    @contextmanager
    def open(self, *, query: Any = (), do: Any = None, **options: Any) -> Iterator["Client"]:
        """A connected client; `do` is what the function is told to do at `$connect`."""
        mark = uuid.uuid4().hex
        pairs = [*query, ("mark", mark), *([("do", json.dumps(do))] if do else [])]
        options = {"open_timeout": PATIENCE, "close_timeout": 2, "compression": None, **options}
        with connect(f"{self.url}?{urlencode(pairs)}", **options) as socket:
            yield Client(self, socket, mark)

    def refusal(self, **options: Any) -> Any:
        """The HTTP response that a client gets instead of a connection."""
        try:
            with self.open(**options):
                pass
        except InvalidStatus as refused:
            return refused.response
        raise AssertionError("the client was connected")

    def events(self) -> list[dict[str, Any]]:
        """Every event so far."""
        if not self.events_file.exists():
            return []
        whole, _, _begun = self.events_file.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def management(self, **options: Any) -> Any:
        """An unmodified boto3 client of @connections."""
        keys = {"aws_access_key_id": self.keys[0], "aws_secret_access_key": self.keys[1]}
        options = {"endpoint_url": self.endpoint, **keys, **options}
        config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        client = boto3.client("apigatewaymanagementapi", region_name="eu-west-1", config=config, **options)
        self.clients.append(client)
        return client


class Client:
    """A connected client."""

    def __init__(self, api: DeployedApi, socket: ClientConnection, mark: str) -> None:
        self.api, self.socket, self.mark = api, socket, mark

    @property
    def connect_event(self) -> dict[str, Any]:
        """The `$connect` event of this connection."""
        return wait_for(
            lambda: next(
                (one for one in self.api.events() if (one.get("queryStringParameters") or {}).get("mark") == self.mark),
                None,
            )
        )

    @property
    def connection_id(self) -> str:
        return self.connect_event["requestContext"]["connectionId"]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """This connection's events of a type, so far."""
        mine = self.connection_id
        contexts = [(one, one["requestContext"]) for one in self.api.events()]
        return [
            one for one, context in contexts if (context.get("connectionId"), context.get("eventType")) == (mine, kind)
        ]

    def send(self, data: Any) -> None:
        self.socket.send(data if isinstance(data, (str, bytes, list)) else json.dumps(data))

    def receive(self) -> str:
        return self.socket.recv(timeout=PATIENCE)

    def ask(self, data: Any) -> Any:
        """Sends, and decodes the answer."""
        self.send(data)
        return json.loads(self.receive())

    def is_silent(self) -> None:
        """Asserts that nothing has been sent to this client, by asking a question whose answer must come first."""
        assert "requestContext" in self.ask({"action": "chat", "last": True})

    def closed(self) -> tuple[int, str]:
        """The code and the reason that the gateway closes with."""
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                self.receive()
        except ConnectionClosed as end:
            assert end.rcvd is not None, "the socket was dropped without a close frame"
            return end.rcvd.code, end.rcvd.reason


def _flat(context: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in context.items() if isinstance(value, (str, int))}


def wait_for(something: Callable[[], Any]) -> Any:
    """Its first truthy value."""
    deadline = time.monotonic() + PATIENCE
    while not (value := something()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value
