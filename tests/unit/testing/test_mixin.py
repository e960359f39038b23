"""The mixin, in Django's own test cases."""

from django.contrib.auth import get_user_model
from django.test import SimpleTestCase, TestCase, override_settings

from ws_lambda.models import WebSocketSession
from ws_lambda.testing import ConnectRefused, WebSocketTestMixin


class SimpleCaseTests(WebSocketTestMixin, SimpleTestCase):
    def test_a_message(self):
        user = get_user_model().objects.create_user("bob", password="secret")
        ws = self.ws_client(user=user, channel="general")
        ws.send_json({"action": "say", "text": "hi"})
        self.assertIn({"said": "hi"}, ws.receive_all())
        self.assertEqual(self.ws_gateway.connections, [ws.connection_id])

    def test_tables_are_empty_again(self):
        self.assertEqual(list(WebSocketSession.scan()), [])

    @override_settings(WS_LAMBDA={"REQUIRE_TOKEN": False, "UNLISTED_CHANNELS": "nobody"})
    def test_settings_of_one_test(self):
        with self.assertRaises(ConnectRefused):
            self.ws_client(channel="general")


class DatabaseCaseTests(WebSocketTestMixin, TestCase):
    databases = ()

    def test_a_connect(self):
        user = get_user_model().objects.create_user("carol", password="secret")
        self.assertTrue(self.ws_client(user=user).connected)
