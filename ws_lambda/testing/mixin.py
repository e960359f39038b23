"""A mixin for `django.test.TestCase` and other test cases, for use without pytest."""

from contextlib import ExitStack
from typing import Any

from ws_lambda.testing.client import WebSocketTestClient
from ws_lambda.testing.database import tables
from ws_lambda.testing.gateway import InProcessGateway


class WebSocketTestMixin:
    """Gives each test empty tables and a gateway.

    class ChatTests(WebSocketTestMixin, TestCase):
        def test_hello(self):
            ws = self.ws_client(user=self.user)
    """

    ws_gateway: InProcessGateway

    def setUp(self) -> None:
        stack = ExitStack()
        self.addCleanup(stack.close)  # type: ignore[attr-defined]
        stack.enter_context(tables())
        self.ws_gateway = stack.enter_context(InProcessGateway())
        self._ws_stack = stack
        super().setUp()  # type: ignore[misc]

    def ws_client(self, **kwargs: Any) -> WebSocketTestClient:
        """Returns a connected client. It is disconnected at the end of the test."""
        return self._ws_stack.enter_context(WebSocketTestClient(gateway=self.ws_gateway, **kwargs))
