"""S2: nothing travels in the clear in production, whatever a client or a setting says."""

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from project.csp import ContentSecurityPolicyMiddleware
from tests.security.forging import forged
from tests.urls import ChatView
from ws_lambda.models import ApiGateway, WebSocketSession
from ws_lambda.provisioning.rules import url_problems
from ws_lambda.tables.gateways import Status
from ws_lambda.testing import connect_event, invoke, mint_token
from ws_lambda.testing.gateway_events import DOMAIN_NAME


@pytest.fixture(autouse=True)
def production(settings):
    settings.DEBUG = False


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("listed_in", ["ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS", "ALLOWED_HOSTS"])
def test_a_page_that_came_in_the_clear_opens_no_connection(user, settings, listed_in):
    if listed_in == "ALLOWED_ORIGINS":
        settings.WS_LAMBDA = {"ALLOWED_ORIGINS": ["http://plain.example"]}
    elif listed_in == "CSRF_TRUSTED_ORIGINS":
        settings.CSRF_TRUSTED_ORIGINS = ["http://plain.example", "http://*.example"]
    else:
        settings.ALLOWED_HOSTS = ["plain.example"]
    token = mint_token(user)
    for origin in ("http://plain.example", "http://plain.example:443", f"http://{DOMAIN_NAME}", "ws://plain.example"):
        assert invoke(connect_event(token=token, origin=origin))["statusCode"] == 403
    assert invoke(connect_event(token=token, origin=f"https://{DOMAIN_NAME}"))["statusCode"] == 200


@pytest.mark.usefixtures("ws_tables")
def test_no_header_makes_django_believe_that_a_socket_is_not_encrypted(user, settings, use_view):
    seen = []

    class Looking(ChatView):
        def additional_connection_checks(self, request):
            seen.append((request.is_secure(), request.scheme))
            return True, ""

    use_view(Looking)
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = dict.fromkeys(("X-Forwarded-Proto", "x-forwarded-proto", "X_Forwarded_Proto", "X-Forwarded-Port"), "http")
    assert invoke(forged(connect_event(token=mint_token(user)), headers))["statusCode"] == 200
    assert seen == [(True, "https")]


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("host", [DOMAIN_NAME, "ws.example.com"])
def test_messages_to_a_connection_go_out_encrypted(user, host):
    invoke(connect_event(token=mint_token(user), domainName=host))
    assert WebSocketSession.get("C1=").endpoint_url.startswith("https://")


@pytest.mark.parametrize("status", [Status.DEPLOYED, Status.MAPPED])
def test_clients_are_sent_to_an_encrypted_address(status):
    endpoint = "wss://abc123.execute-api.eu-west-1.amazonaws.com"
    record = ApiGateway("chat", api_id="abc123", api_endpoint=endpoint, domain_name="ws.example.com", status=status)
    assert record.websocket_url.startswith("wss://")
    assert record.endpoint_url.startswith("https://")


def test_the_gateway_secret_goes_to_https_only(settings):
    settings.ALLOWED_HOSTS = ["www.example.com", "localhost"]
    assert list(url_problems("https://www.example.com/ws/")) == []
    for url in (
        "http://www.example.com/ws/",
        "http://localhost/ws/",
        "//www.example.com/ws/",
        "ftp://www.example.com/",
    ):
        assert any("https://" in problem for problem in url_problems(url))


def test_the_demos_pages_open_only_encrypted_sockets(rf):
    from django.http import HttpResponse

    middleware = ContentSecurityPolicyMiddleware(lambda request: HttpResponse())
    policy = middleware(rf.get("/")).headers["Content-Security-Policy"]
    (sockets,) = [part for part in policy.split(";") if part.strip().startswith("connect-src")]
    assert sockets.split() == ["connect-src", "'self'", "wss:"]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"ALLOWED_ORIGINS": ["http://plain.example"]}, "W104"),
        ({"ENDPOINT_URL": "http://plain.example"}, "W110"),
        ({"WEBSOCKET_URL": "ws://plain.example"}, "W110"),
    ],
)
def test_a_setting_that_would_is_told_of(setting, expected):
    with override_settings(WS_LAMBDA={"UNLISTED_CHANNELS": "nobody"} | setting):
        assert f"ws_lambda.{expected}" in [one.id for one in run_checks(include_deployment_checks=True)]
