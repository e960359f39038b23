"""The local gateway in this process. It calls the real function in the caller's thread."""

from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, ClassVar, TypeVar
from unittest import mock

from django.core.signals import setting_changed

from ws_lambda import clock, delivery, process_state
from ws_lambda.local.api_definition import Api, Event, Route
from ws_lambda.local.connections_api import ConnectionsApi
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.errors import IntegrationError
from ws_lambda.local.fault_injection import Faults
from ws_lambda.local.gateway_clock import VirtualClock
from ws_lambda.local.integration_lambda import LambdaIntegration
from ws_lambda.local.login import Login
from ws_lambda.local.options import Options
from ws_lambda.local.project_routes import keys
from ws_lambda.local.quotas import Quotas
from ws_lambda.process_state import Occasion
from ws_lambda.testing.gateway_events import DOMAIN_NAME, STAGE, default_api_id
from ws_lambda.testing.invocation import invoke
from ws_lambda.testing.transport import GatewayTransport

T = TypeVar("T")
NO_THROTTLE = Quotas(connects_per_second=1e12, requests_per_second=1e12, request_burst=1e12)
"""No throttling: the clock stands still, so a quota of 500 connects a second would allow 500 in total."""


class InProcessGateway:
    """An API Gateway for the time of a `with` block. Its clock and the package's clock stand still.

    Args:
        api_id: the API id in events. Default: the first of the accepted ids (GATEWAY_IDS), or "test".
        handler: the function. Default: the package's Lambda handler.
        routes: route keys in addition to `$connect`, `$disconnect`, `$default` and those of ROUTE_PATHS.
        replies: whether routes have a route response, like those that `zappa deploy` creates.
        raise_exceptions: whether exceptions of the function are raised in the test. Otherwise the gateway answers
            with a 502 or an error frame.
    """

    _active: ClassVar[list["InProcessGateway"]] = []

    def __init__(
        self,
        *,
        api_id: str | None = None,
        stage: str = STAGE,
        domain_name: str = DOMAIN_NAME,
        handler: Any = None,
        routes: tuple[str, ...] = (),
        replies: bool = True,
        raise_exceptions: bool = False,
        options: Options | None = None,
        quotas: Quotas | None = None,
        faults: Faults | None = None,
        seed: int = 0,
    ) -> None:
        self._handler, self._raise = handler, raise_exceptions
        self._stack = ExitStack()
        self.clock = VirtualClock()
        """The clock, which `advance` moves."""

        route = Route(integration=LambdaIntegration(self._invoke), replies=replies)
        api = Api(
            api_id=api_id or default_api_id(),
            stage=stage,
            domain_name=domain_name,
            routes=dict.fromkeys((*keys(), *routes), route),
        )
        self.core = Gateway(
            api, clock=self.clock, options=options, quotas=quotas or NO_THROTTLE, faults=faults, seed=seed
        )
        """The gateway itself, with its pool, journal and quotas."""

        self.management = ConnectionsApi(self.core, {})
        self.logins: dict[str, Login] = {}
        """User id → login. Each user logs in once, which saves time in tests with many connections."""

    @classmethod
    def active(cls) -> "InProcessGateway":
        """The gateway of the innermost `with` block.

        Raises:
            RuntimeError: there is none.
        """
        if not cls._active:
            raise RuntimeError(
                "No gateway is running. Use the fixture ws_client or ws_gateway, WebSocketTestMixin, "
                "or `with InProcessGateway():`."
            )
        return cls._active[-1]

    def __enter__(self) -> "InProcessGateway":
        self._stack.enter_context(mock.patch.object(clock, "now", self.clock.now))
        self._stack.enter_context(delivery.using_transport(GatewayTransport(self.management)))
        setting_changed.connect(_rebuild_middleware)
        self._stack.callback(setting_changed.disconnect, _rebuild_middleware)
        _rebuild_middleware()
        self._active.append(self)
        self._stack.callback(self._active.remove, self)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def events(self) -> list[Event]:
        """The last 200 events that the function got, oldest first."""
        return [entry.event for entry in self.core.journal.entries if entry.event is not None]

    @property
    def connections(self) -> list[str]:
        """Ids of the open connections."""
        return [connection.connection_id for connection in self.core.pool]

    def advance(self, seconds: float) -> None:
        """Lets time pass: idle connections close, tokens expire, delayed events arrive."""
        self.clock.advance(seconds)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine of the core to its end."""
        return self.clock.run(work)

    async def _invoke(self, event: Event) -> object:
        try:
            return invoke(event, handler=self._handler)
        except Exception as error:
            if self._raise:
                raise
            raise IntegrationError(f"{type(error).__name__}: {error}") from error


def _rebuild_middleware(**_kwargs: object) -> None:
    """Has the middleware chain built again, because `override_settings` may have changed it."""
    process_state.forget(Occasion.SETTINGS)
