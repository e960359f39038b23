"""A WebSocket client for tests."""

import json
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from ws_lambda.local import websocket_frames
from ws_lambda.local.connection import Connection
from ws_lambda.local.login import Login
from ws_lambda.local.upgrade import Refusal, Upgrade
from ws_lambda.testing.gateway import InProcessGateway
from ws_lambda.testing.wire import Inbox


class ConnectRefused(AssertionError):
    """The connect was refused. `status` is the HTTP status that a client sees."""

    def __init__(self, status: int, body: str, why: str) -> None:
        super().__init__(f"refused with {status}: {why or 'no reason given'}")
        self.status, self.body = status, body


class WebSocketTestClient:
    """One connection.

    Args:
        user: connects as this user, with a token of a login of theirs.
        http: a Django test client; connects with a token of its login, so that its logout closes the connection.
        token: a token to use instead; "" for none.
        channel: the `channel` of the query string.
        query: more of the query string.
        headers: HTTP headers of the upgrade, beside or instead of `Origin` and `User-Agent`.
        cookies: cookies by name. A real WebSocket domain gets none of the site's, so there are none by default.
        subprotocols: what the client offers, in order.
        origin: the page's origin; None for a client that is no browser. Default: the gateway's own.
        source_ip: the client's address.
        gateway: default, the one that is active.
    """

    def __init__(
        self,
        *,
        user: Any = None,
        http: Any = None,
        token: str | None = None,
        channel: str | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
        origin: str | None = "",
        source_ip: str = "203.0.113.9",
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
        """Makes a login of the user, whose tokens the next connect uses. All clients of a user share one."""
        login = self.gateway.logins.get(str(user.pk))
        if login is None or not login.still_of(user):
            login = self.gateway.logins[str(user.pk)] = Login.new(user)
        self.login = login

    def connect(self) -> "WebSocketTestClient":
        """Opens the connection; again, with a new token, if it was open before.

        Raises:
            ConnectRefused: the function, or the gateway, said no.
        """
        if self.connected:
            raise RuntimeError("This client is connected already.")
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
        """The code that the service closed with; None while it has not."""
        return self._inbox.close_code

    @property
    def close_reason(self) -> str:
        """The reason that the service closed with."""
        return self._inbox.close_reason

    def send_json(self, data: Any) -> None:
        """Sends a JSON message."""
        self.send_text(json.dumps(data))

    def send_text(self, text: str) -> None:
        """Sends a text message in one frame. By when this returns it has been handled."""
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
        """Sends a binary message, for which the service closes the connection."""
        self.gateway.core.receive_binary(self._open())
        self._settle()

    def receive_text(self) -> str:
        """The next message that has arrived.

        Raises:
            AssertionError: there is none. Nothing is waited for: whatever was sent has arrived.
        """
        if not self._inbox.messages:
            raise AssertionError(f"nothing was received; {self._last_word()}")
        return self._inbox.messages.popleft()

    def receive_json(self) -> Any:
        """The next message, decoded. Raises AssertionError where there is none."""
        return json.loads(self.receive_text())

    def receive_all(self) -> list[Any]:
        """Every message that has arrived, decoded."""
        found = [json.loads(text) for text in self._inbox.messages]
        self._inbox.messages.clear()
        return found

    def expect_nothing(self) -> None:
        """Asserts that no message has arrived."""
        if self._inbox.messages:
            raise AssertionError(f"received {self._inbox.messages[0]!r}")

    def disconnect(self, code: int | None = 1000, reason: str = "") -> None:
        """Closes the connection, as a browser does; without a code with None. Nothing happens if it is closed."""
        if self.connected:
            self.gateway.core.closed(self._opened(), code, reason)
            self._settle()

    def vanish(self) -> None:
        """Loses the network: no close frame."""
        self.disconnect(1006)

    def _upgrade(self) -> Upgrade:
        query = dict(self.query)
        if self.channel is not None:
            query["channel"] = self.channel
        token = self.token
        if token is None and self.login is not None:
            token = self.login.mint()
        if token:
            query["ws_token"] = token
        return Upgrade(headers=tuple(self._headers().items()), query_string=urlencode(query), source_ip=self.source_ip)

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": "ws_lambda.testing", "Sec-WebSocket-Version": "13"}
        if self.origin is not None:
            headers["Origin"] = self.origin
        if self.subprotocols:
            headers["Sec-WebSocket-Protocol"] = ", ".join(self.subprotocols)
        if self.cookies:
            headers["Cookie"] = SimpleCookie(self.cookies).output(header="", sep=";").strip()
        return headers | self.headers

    def _settle(self) -> None:
        """Lets what became due run: `$disconnect`, for one."""
        self.gateway.advance(0)

    def _opened(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("This client has not connected.")
        return self._connection

    def _open(self) -> Connection:
        if not self.connected:
            raise ConnectionError(f"This client is not connected; close code {self.close_code}.")
        return self._opened()

    def _last_word(self) -> str:
        """What the function said last, for the message of a failed test."""
        for entry in reversed(self.gateway.core.journal.entries):
            if entry.event is not None:
                said = entry.answer.body if entry.answer else entry.note
                return f"the function's last answer, to {entry.kind}, was {entry.status} {said}"
        return "the function was not called"
