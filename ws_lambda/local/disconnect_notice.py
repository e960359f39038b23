"""`$disconnect`: sent when a connection has ended, without a guarantee.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
"""

from typing import Protocol

from ws_lambda.local import proxy_events
from ws_lambda.local.api_definition import Answer, Api, Event, Route
from ws_lambda.local.connection import Connection
from ws_lambda.local.errors import GatewayError
from ws_lambda.local.fault_injection import Dice, Faults
from ws_lambda.local.gateway_clock import Clock
from ws_lambda.local.ids import Ids
from ws_lambda.local.journal import Entry, Journal
from ws_lambda.local.pool import Pool

HELD_BACK_AT_MOST = 5.0
"""Seconds that a reordered `$disconnect` waits for an event of another connection."""


class Notifying(Protocol):
    """What the notifier needs of its gateway."""

    api: Api
    clock: Clock
    faults: Faults
    dice: Dice
    new_id: Ids
    pool: Pool
    journal: Journal

    async def invoke(self, route: Route, event: Event) -> Answer:
        """Calls a route's integration."""
        ...


class DisconnectNotifier:
    """Takes connections out of the pool and tells the function, unless a fault drops the event."""

    def __init__(self, gateway: Notifying) -> None:
        self._gateway = gateway

    def end(self, connection: Connection, code: int, reason: str) -> bool:
        """Ends a connection. Returns False if it had ended already."""
        gateway = self._gateway
        if not gateway.pool.remove(connection):
            return False
        if "$disconnect" not in gateway.api.routes:
            return True
        if gateway.dice.says(gateway.faults.disconnect_drop):
            self._note(connection, "dropped")
            return True
        times = 2 if gateway.dice.says(gateway.faults.disconnect_duplicate) else 1
        for _ in range(times):
            self._schedule(connection, code, reason)
        return True

    def _schedule(self, connection: Connection, code: int, reason: str) -> None:
        gateway, told = self._gateway, False

        async def tell() -> None:
            nonlocal told
            if not told:
                told = True
                await self._tell(connection, code, reason)

        if not gateway.dice.says(gateway.faults.disconnect_reorder):
            gateway.clock.call_later(gateway.faults.disconnect_delay, tell)
            return

        def another_went_first(entry: Entry) -> None:
            if entry.event is not None and entry.connection_id != connection.connection_id:
                gateway.journal.listeners.remove(another_went_first)
                gateway.clock.call_later(0, tell)

        gateway.journal.listeners.append(another_went_first)
        gateway.clock.call_later(HELD_BACK_AT_MOST, tell)

    async def _tell(self, connection: Connection, code: int, reason: str) -> None:
        gateway = self._gateway
        event = proxy_events.disconnect(
            gateway.api,
            connection,
            code=code,
            reason=reason,
            request_id=gateway.new_id(),
            now=gateway.clock.now(),
        )
        try:
            await gateway.invoke(gateway.api.routes["$disconnect"], event)
        except GatewayError:
            return  # as on AWS: no retry, and nobody is told. The journal has an entry.

    def _note(self, connection: Connection, what: str) -> None:
        now = self._gateway.clock.now()
        self._gateway.journal.add(
            Entry(at=now, kind="$disconnect", connection_id=connection.connection_id, status=0, note=what)
        )
