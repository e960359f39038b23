"""The gateway: connect, messages, disconnect. It owns no socket and no thread.

Its coroutines wait only for integrations and for its clock, so an event loop can run many of them and a test
can run each to its end on the spot.
"""

import json
from collections.abc import Callable

from ws_lambda.frames import error_frame
from ws_lambda.local import proxy_events, route_selection, websocket_frames
from ws_lambda.local.api_definition import Answer, Api, Event, Route
from ws_lambda.local.connection import Connection
from ws_lambda.local.disconnect_notice import DisconnectNotifier
from ws_lambda.local.errors import GatewayError, IntegrationThrottled, Throttled
from ws_lambda.local.fault_injection import Dice, Faults
from ws_lambda.local.gateway_clock import Clock
from ws_lambda.local.ids import Ids
from ws_lambda.local.journal import Entry, Journal
from ws_lambda.local.options import Options
from ws_lambda.local.pool import Pool
from ws_lambda.local.quotas import Bucket, Quotas
from ws_lambda.local.upgrade import MAX_URL, Refusal, Upgrade


class Gateway:
    """One WebSocket API, its connections and its quotas."""

    def __init__(
        self,
        api: Api,
        *,
        clock: Clock,
        options: Options | None = None,
        quotas: Quotas | None = None,
        faults: Faults | None = None,
        seed: int | None = None,
    ) -> None:
        self.api, self.clock = api, clock
        self.options, self.quotas, self.faults = options or Options(), quotas or Quotas(), faults or Faults()
        self.dice, self.new_id = Dice(seed), Ids(seed)
        self.pool, self.journal = Pool(), Journal()
        per_second = self.quotas.connects_per_second
        self._connects = Bucket(per_second, per_second, clock.now)
        self._requests = Bucket(self.quotas.requests_per_second, self.quotas.request_burst, clock.now)
        self._running = 0
        self._disconnects = DisconnectNotifier(self)

    async def connect(self, upgrade: Upgrade) -> Connection | Refusal:
        """Asks the `$connect` route whether a client may connect. Without such a route, it may."""
        if len(upgrade.path) + 1 + len(upgrade.query_string) > MAX_URL:
            return Refusal(status=414, why="the URL is too long")
        now = self.clock.now()
        connection = Connection(connection_id=self.new_id(), upgrade=upgrade, connected_at=now, last_active_at=now)
        try:
            if not (self._connects.take() and self.admit_request()):
                raise Throttled("too many connects")
            if route := self.api.routes.get("$connect"):
                answer = await self._ask(route, connection)
                if not 200 <= answer.status < 300:
                    body = answer.body if self.options.refusal_body else ""
                    return Refusal(status=answer.status, body=body, why=answer.body)
                connection.subprotocol = answer.header("Sec-WebSocket-Protocol")
        except GatewayError as error:
            return Refusal(status=error.status, body=json.dumps({"message": error.message}), why=error.why)
        self.pool.add(connection)
        self._watch(connection)
        return connection

    async def receive(self, connection: Connection, text: str) -> None:
        """Handles a text message: selects the route, calls the integration, and replies if the route does."""
        self.touch(connection)
        connection.messages_in += 1
        request_id = self.new_id()
        try:
            if not self.admit_request():
                raise Throttled("too many requests")
            key, route = route_selection.select(self.api, text)
            event = proxy_events.message(
                self.api,
                connection,
                route_key=key,
                body=text,
                request_id=request_id,
                message_id=self.new_id(),
                now=self.clock.now(),
            )
            answer = await self.invoke(route, event)
            if answer.status >= 500 and self.options.failed_status_is_error:
                raise GatewayError(f"status {answer.status}")
            if route.replies and answer.body:
                self._reply(connection, answer.body)
        except GatewayError as error:
            ids = {"connection_id": connection.connection_id, "request_id": request_id}
            self._reply(connection, error_frame(error.message, **ids))
        if self.dice.says(self.faults.kill):
            self.lose(connection)

    def receive_binary(self, connection: Connection) -> None:
        """Closes a connection that sent a binary frame, which the service does not accept."""
        self.close(connection, 1003, self.options.binary_reason)

    def receive_too_big(self, connection: Connection) -> None:
        """Closes a connection that sent a message over 128 KB or a frame over 32 KB."""
        self.close(connection, 1009, self.options.too_big_reason)

    def receive_ping(self, connection: Connection) -> None:
        """Handles a protocol ping. The server answers it; an option says whether it counts as activity."""
        if self.options.pings_count:
            self.touch(connection)

    def closed(self, connection: Connection, code: int | None, reason: str = "") -> None:
        """The client closed the connection, with a code or without one (None), or has vanished (1006)."""
        if code is None:
            code, reason = 1005, "Client-side close frame status not set"
        elif code == 1006:
            code, reason = self.options.network_loss
        self._disconnects.end(connection, code, reason)

    def close(self, connection: Connection, code: int, reason: str) -> None:
        """The service closes the socket."""
        if self._disconnects.end(connection, code, reason) and connection.wire is not None:
            connection.wire.close(code, reason)

    def lose(self, connection: Connection) -> None:
        """Breaks a connection, as if the network had failed and the service had noticed."""
        self.close(connection, *self.options.network_loss)

    def admit_request(self) -> bool:
        """Takes one request from the quota that messages, connects and @connections calls share."""
        return self._requests.take()

    def touch(self, connection: Connection) -> None:
        """Notes that data was sent over the connection."""
        connection.last_active_at = self.clock.now()

    async def invoke(self, route: Route, event: Event) -> Answer:
        """Calls the integration of a route, within the timeout and the function's concurrency."""
        started, answer, note, status = self.clock.now(), None, "", 0
        try:
            if self._running >= self.quotas.concurrency:
                raise IntegrationThrottled("the function's concurrency is used up")
            self._running += 1
            try:
                await self.clock.sleep(self.dice.between(self.faults.latency))
                answer = await self.clock.limit(self.quotas.integration_timeout, self._call(route, event))
            finally:
                self._running -= 1
            status = answer.status
            return answer
        except GatewayError as error:
            note, status = error.why, error.status
            raise
        finally:
            context = event["requestContext"]
            self.journal.add(
                Entry(
                    at=started,
                    kind=context["routeKey"],
                    connection_id=context["connectionId"],
                    status=status,
                    seconds=self.clock.now() - started,
                    event=event,
                    answer=answer,
                    note=note,
                )
            )

    async def _call(self, route: Route, event: Event) -> Answer:
        answer = await route.integration.call(event)
        if event["requestContext"]["routeKey"] == "$connect":
            await self.clock.sleep(self.faults.connect_slow)
        return answer

    async def _ask(self, route: Route, connection: Connection) -> Answer:
        now, proto = self.clock.now(), self.options.forwarded_proto
        event = proxy_events.connect(self.api, connection, request_id=self.new_id(), now=now, proto=proto)
        if route.authorizer is not None:
            context = await route.authorizer.admit(connection.upgrade, event)
            context["integrationLatency"] = int((self.clock.now() - now) * 1000)
            connection.authorizer = context
            event["requestContext"]["authorizer"] = context
        return await self.invoke(route, event)

    def _reply(self, connection: Connection, text: str) -> None:
        payload = text.encode("utf-8", "replace")
        if self.pool.get(connection.connection_id) is connection and len(payload) <= websocket_frames.MAX_MESSAGE:
            connection.send(payload, self.clock.now())

    def _watch(self, connection: Connection) -> None:
        """Closes the connection after ten idle minutes or two hours, whichever comes first."""
        self._after(self._time_left(connection), lambda: self._expire(connection))

    def _expire(self, connection: Connection) -> None:
        if self.pool.get(connection.connection_id) is not connection:
            return
        now = self.clock.now()
        if now - connection.connected_at >= self.quotas.max_duration:
            self.close(connection, *self.options.duration_close)
        elif now - connection.last_active_at >= self.quotas.idle_timeout:
            self.close(connection, 1001, "Going away")
        else:
            self._watch(connection)

    def _time_left(self, connection: Connection) -> float:
        idle = connection.last_active_at + self.quotas.idle_timeout
        return min(idle, connection.connected_at + self.quotas.max_duration) - self.clock.now()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        async def job() -> None:
            action()

        self.clock.call_later(seconds, job)
