"""Our gateway without sockets, with a clock that tests move, for facts about time and quotas."""

import json
from typing import Any

import pytest

from tests.conformance import scorecard
from ws_lambda.local.api_definition import Api, Event, Route
from ws_lambda.local.connection import Connection
from ws_lambda.local.connections_api import ConnectionsApi
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.errors import IntegrationError
from ws_lambda.local.gateway_clock import VirtualClock
from ws_lambda.local.integration_lambda import LambdaIntegration
from ws_lambda.local.upgrade import Refusal, Upgrade
from ws_lambda.testing.wire import Inbox

ours = pytest.mark.skipif(scorecard.target() != "local", reason="needs a clock, quotas or routes that a test can set")


class Bench:
    """A gateway, its function and its clock. `answers` maps a route key to what the function does."""

    def __init__(self, *, routes: dict[str, Any] | None = None, replies: bool = True, **options: Any) -> None:
        self.clock = VirtualClock(1_700_000_000.0)
        self.events: list[Event] = []
        self.answers: dict[str, Any] = {}
        route = {"integration": LambdaIntegration(self._invoke), "replies": replies}
        keys = ("$connect", "$disconnect", "$default")
        api = Api(
            api_id="a", stage="s", domain_name="a.execute-api.eu-west-1.amazonaws.com",
            routes={key: Route(**route, **(routes or {}).get(key, {})) for key in (*keys, *(routes or {}))},
        )  # fmt: skip
        self.gateway = Gateway(api, clock=self.clock, seed=1, **options)
        self.management = ConnectionsApi(self.gateway, {})

    def try_connect(self, query: str = "", **headers: str) -> Connection | Refusal:
        upgrade = Upgrade(headers=tuple(headers.items()), query_string=query)
        return self.clock.run(self.gateway.connect(upgrade))

    def connect(self, query: str = "", **headers: str) -> tuple[Connection, Inbox]:
        connection = self.try_connect(query, **headers)
        assert isinstance(connection, Connection), connection
        connection.attach(inbox := Inbox())
        return connection, inbox

    def send(self, connection: Connection, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.clock.run(self.gateway.receive(connection, text))

    def contexts(self, kind: str) -> list[Event]:
        """The contexts of the events of a type."""
        return [one["requestContext"] for one in self.events if one["requestContext"]["eventType"] == kind]

    async def _invoke(self, event: Event) -> object:
        self.events.append(json.loads(json.dumps(event)))
        answer = self.answers.get(event["requestContext"]["routeKey"], {"statusCode": 200})
        if callable(answer):
            answer = answer(event)
        if hasattr(answer, "__await__"):
            answer = await answer
        if isinstance(answer, Exception):
            raise IntegrationError(str(answer)) from answer
        return answer
