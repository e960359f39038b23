"""A WebSocket client for tests."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ws_lambda.local import websocket_frames
from ws_lambda.local.connection import Connection
from ws_lambda.local.login import Login
from ws_lambda.local.upgrade import Refusal, Upgrade
from ws_lambda.testing.gateway import InProcessGateway
from ws_lambda.testing.handshake import SOURCE_IP, handshake
from ws_lambda.testing.wire import Inbox


class ConnectRefused(AssertionError):
    """The connect was refused. `status` is the HTTP status that a client sees."""

    def __init__(self, status: int, body: str, why: str) -> None:
        super().__init__(f"refused with {status}: {why or 'no reason given'}")
        self.status, self.body = status, body


class WebSocketTestClient:
    """One connection.

    Args:
        user: the user to connect as, with a token.
        http: a Django test client. The connection belongs to its login, so its logout closes the connection.
        token: a token to use instead; "" for none.
        channel: the `channel` in the query string.
        query: other parameters of the query string. A list is sent as one parameter for each of its values.
        headers: HTTP headers of the upgrade. They replace the default ones, such as `Origin` and `User-Agent`; None
            leaves one out.
        cookies: cookies by name. Default: none, because a real WebSocket domain gets none of the site's cookies.
        subprotocols: the subprotocols that the client offers, in order.
        origin: the origin of the page; None for a client that is not a browser. Default: the gateway's own.
        source_ip: the address of the client.
        gateway: the gateway to connect to. Default: the active one.
    """

    def __init__(
        self,
        *,
        user: Any = None,
        http: Any = None,
        token: str | None = None,
        channel: str | None = None,
        query: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str | None] | None = None,
        cookies: dict[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
        origin: str | None = "",
        source_ip: str = SOURCE_IP,
        gateway: InProcessGateway | None = None,
    ) -> None:
        self.gateway = gateway or InProcessGateway.active()
        self.query, self.channel, self.token = dict(query or {}), channel, token
        self.headers, self.cookies = dict(headers or {}), dict(cookies or {})
        self.subprotocols, self.source_ip = subprotocols, source_ip
        self.origin = f"https://{self.gateway.core.api.domain_name}" if origin == "" else origin
        self.login: Login | None = Login.of(http) if http is not None else None
        if user is not None:
            self.force_login(user)
        self._connection: Connection | None = None
        self._inbox = Inbox()

    def force_login(self, user: Any) -> None:
        """Logs a user in for the next connect. All clients of a user share one login."""
        login = self.gateway.logins.get(str(user.pk))
        if login is None or not login.still_of(user):
            login = self.gateway.logins[str(user.pk)] = Login.new(user)
        self.login = login

    def connect(self) -> "WebSocketTestClient":
        """Opens the connection. It can be opened again, with a new token, after it has closed.

        Raises:
            ConnectRefused: the function or the gateway refused the connect.
        """
        if self.connected:
            raise RuntimeError("This client is already connected.")
        self._inbox = Inbox()
        outcome = self.gateway.run(self.gateway.core.connect(self._upgrade()))
        if isinstance(outcome, Refusal):
            raise ConnectRefused(outcome.status, outcome.body, outcome.why)
        outcome.attach(self._inbox)
        self._connection = outcome
        return self

    def __enter__(self) -> "WebSocketTestClient":
        return self if self.connected else self.connect()

    def __exit__(self, *error: object) -> None:
        self.disconnect()

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        connection = self._connection
        return connection is not None and self.gateway.core.pool.get(connection.connection_id) is connection

    @property
    def connection_id(self) -> str:
        """The id that API Gateway gave the connection."""
        return self._opened().connection_id

    @property
    def session(self) -> Any:
        """The connection's `WebSocketSession`, read from the table."""
        from ws_lambda.models import WebSocketSession

        return WebSocketSession.get(self.connection_id, consistent_read=True)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the function chose."""
        return self._opened().subprotocol

    @property
    def close_code(self) -> int | None:
        """The close code of the service; None if the service has not closed the connection."""
        return self._inbox.close_code

    @property
    def close_reason(self) -> str:
        """The close reason of the service."""
        return self._inbox.close_reason

    def send_json(self, data: Any) -> None:
        """Sends a JSON message."""
        self.send_text(json.dumps(data))

    def send_text(self, text: str) -> None:
        """Sends a text message in one frame. The message has been handled when this returns."""
        connection, core = self._open(), self.gateway.core
        if len(text.encode()) > websocket_frames.MAX_FRAME:
            core.receive_too_big(connection)
        else:
            self.gateway.run(core.receive(connection, text))
        self._settle()

    def send_fragments(self, *parts: str) -> None:
        """Sends one text message in several frames."""
        connection, core = self._open(), self.gateway.core
        sizes = [len(part.encode()) for part in parts]
        if max(sizes) > websocket_frames.MAX_FRAME or sum(sizes) > websocket_frames.MAX_MESSAGE:
            core.receive_too_big(connection)
        else:
            self.gateway.run(core.receive(connection, "".join(parts)))
        self._settle()

    def send_bytes(self, data: bytes) -> None:
        """Sends a binary message. The service closes the connection because of it."""
        self.gateway.core.receive_binary(self._open())
        self._settle()

    def receive_text(self) -> str:
        """The next message that has arrived.

        Raises:
            AssertionError: there is none. This does not wait, because everything that was sent has arrived.
        """
        if not self._inbox.messages:
            raise AssertionError(f"nothing was received; {self._last_answer()}")
        return self._inbox.messages.popleft()

    def receive_json(self) -> Any:
        """The next message, decoded. Raises AssertionError if there is none."""
        return json.loads(self.receive_text())

    def receive_all(self) -> list[Any]:
        """All messages that have arrived and were not received yet, decoded."""
        found = [json.loads(text) for text in self._inbox.messages]
        self._inbox.messages.clear()
        return found

    def expect_nothing(self) -> None:
        """Asserts that no other message has arrived."""
        if self._inbox.messages:
            raise AssertionError(f"received {self._inbox.messages[0]!r}")

    def disconnect(self, code: int | None = 1000, reason: str = "") -> None:
        """Closes the connection like a browser; with None, without a code. Does nothing if it is already closed."""
        if self.connected:
            self.gateway.core.closed(self._opened(), code, reason)
            self._settle()

    def vanish(self) -> None:
        """Loses the network: the connection ends without a close frame."""
        self.disconnect(1006)

    def _upgrade(self) -> Upgrade:
        token = self.token
        if token is None and self.login is not None:
            token = self.login.mint()
        return handshake(
            token=token or "",
            channel=self.channel,
            query=self.query,
            headers=self.headers,
            cookies=self.cookies,
            subprotocols=self.subprotocols,
            origin=self.origin,
            source_ip=self.source_ip,
        )

    def _settle(self) -> None:
        """Runs what has become due, such as `$disconnect`."""
        self.gateway.advance(0)

    def _opened(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("This client has not connected.")
        return self._connection

    def _open(self) -> Connection:
        if not self.connected:
            raise ConnectionError(f"This client is not connected; close code {self.close_code}.")
        return self._opened()

    def _last_answer(self) -> str:
        """The function's last answer in words, for the message of a failed test."""
        for entry in reversed(self.gateway.core.journal.entries):
            if entry.event is not None:
                said = entry.answer.body if entry.answer else entry.note
                return f"the function's last answer, to {entry.kind}, was {entry.status} {said}"
        return "the function was not called"
