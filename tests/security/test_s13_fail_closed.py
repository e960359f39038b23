"""S13: what is broken refuses `$connect`; trust in Lambda mode. docs/contract.md 29."""

import subprocess
import sys

import pytest
from django.core import mail

from tests.urls import ChatView
from ws_lambda.models import ApiGateway, WebSocketSession, WebSocketToken, gateways
from ws_lambda.tables.tokens import digest
from ws_lambda.testing import connect_event, invoke, message_event, mint_token


@pytest.mark.usefixtures("ws_tables")
class TestTrust:
    def status(self, user, api_id="abc123"):
        return invoke(connect_event(token=mint_token(user), apiId=api_id))["statusCode"]

    def test_without_a_list_every_gateway_that_may_invoke_is_believed(self, user):
        assert self.status(user) == 200

    def test_a_configured_list(self, user, settings):
        settings.WS_LAMBDA = {"GATEWAY_IDS": ["abc123"]}
        assert self.status(user) == 200
        assert self.status(user, "other") == 403

    def test_the_deployments_own_variable(self, user, monkeypatch):
        monkeypatch.setenv("WS_LAMBDA_GATEWAY_IDS", "one, abc123")
        assert self.status(user) == 200
        assert self.status(user, "other") == 403

    def test_registered_gateways(self, user):
        ApiGateway("chat", api_id="abc123").save()
        gateways.forget()
        assert self.status(user) == 200
        assert self.status(user, "other") == 403

    def test_a_pinned_view(self, user, use_view):
        ApiGateway("chat", api_id="abc123").save()
        ApiGateway("more", api_id="def456").save()
        gateways.forget()
        for pin, refused in (("abc123", "def456"), ("more", "abc123")):

            class Pinned(ChatView):
                aws_api_gateway_id = pin

            use_view(Pinned)
            assert self.status(user, refused) == 403

    def test_messages_of_another_gateway(self, user, settings):
        self.status(user)
        settings.WS_LAMBDA = {"GATEWAY_IDS": ["def456"]}
        assert invoke(message_event({"action": "chat"}, apiId="abc123"))["statusCode"] == 403


@pytest.mark.usefixtures("ws_tables")
class TestErrors:
    @pytest.mark.parametrize("bad", [{"TOKEN_SECONDS": "soon"}, {"NO_SUCH": 1}, ["list"], {"BASE_PATH": "ws"}])
    def test_bad_settings_refuse_everybody(self, user, settings, bad):
        event = connect_event(token=mint_token(user))
        settings.WS_LAMBDA = bad
        settings.DEBUG_PROPAGATE_EXCEPTIONS = False
        with pytest.raises(Exception, match=r"WS_LAMBDA|BASE_PATH"):
            invoke(event)

    def test_a_url_that_nothing_serves(self, user, settings):
        settings.WS_LAMBDA = {"BASE_PATH": "/elsewhere/"}
        assert invoke(connect_event(token=mint_token(user)))["statusCode"] == 404

    @pytest.mark.parametrize("hook", ["can_join_channel", "additional_connection_checks", "get_channel_name"])
    def test_a_check_that_breaks_admits_no_user_and_tells_no_secret(self, user, use_view, admins, caplog, hook):
        def broken(self, *args):
            raise RuntimeError("broken")

        token = mint_token(user, session_key="login-1")
        use_view(type("Broken", (ChatView,), {hook: broken}))
        response = invoke(connect_event(token=token, channel="general", headers={"Cookie": "sessionid=login-1"}))
        assert response["statusCode"] == 500
        assert (WebSocketSession.count(), WebSocketToken.count(digest(token))) == (0, 1)
        assert "Broken.connect raised RuntimeError" in caplog.text
        (letter,) = mail.outbox
        assert "connection_id: C1=" in letter.body
        for secret in (token, "login-1"):
            assert secret not in caplog.text + letter.body + str([vars(one) for one in caplog.records])

    def test_tables_that_cannot_be_read(self, user, settings):
        settings.WS_LAMBDA = {"TABLE_PREFIX": "missing_"}
        assert invoke(connect_event(token="0" * 64))["statusCode"] == 500


def test_a_settings_module_that_fails_to_import_fails_the_function():
    script = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'no.such.settings'\nimport ws_lambda.lambda_handler"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "no.such" in ran.stderr or "No module named 'no'" in ran.stderr
