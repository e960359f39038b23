"""S1: only pages of allowed origins open connections. docs/contract.md 15."""

import pytest

from tests.security.forging import forged
from ws_lambda.gatekeeping.origin import is_allowed
from ws_lambda.testing import connect_event, decode_answer, invoke, mint_token
from ws_lambda.testing.gateway_events import DOMAIN_NAME


@pytest.fixture(autouse=True)
def production(settings):
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["www.example.com", ".corp.example", "*"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example.org:8443", "https://*.example.net"]
    settings.WS_LAMBDA = {"ALLOWED_ORIGINS": ["https://other.example:444", "http://plain.example"]}


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.example.com",
        "https://corp.example",
        "https://deep.sub.corp.example",
        "https://app.example.org:8443",
        "https://one.example.net",
        "https://other.example:444",
        f"https://{DOMAIN_NAME}",
    ],
)
def test_allowed(origin):
    assert is_allowed(origin, DOMAIN_NAME)


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.example.com.evil.example",
        "https://evilwww.example.com",
        "https://evil-corp.example",
        "https://www.example.com@evil.example",
        "https://user:pw@www.example.com",
        "https://www.example.com:8443",
        "https://www.example.com:0443",
        "https://www.example.com/",
        "https://www.example.com/path",
        "https://www.example.com?x",
        "https://www.example.com#x",
        "https://www.example.com\n",
        " https://www.example.com",
        "https://www.example.com\t.evil.example",
        "https://WWW.EXAMPLE.COM.evil.example",
        "HTTPS://www.example.com",
        "https://app.example.org",
        "https://example.net",
        "https://example.net.evil.example",
        "https://other.example",
        "http://www.example.com",
        "http://plain.example",
        "ws://www.example.com",
        "wss://www.example.com",
        "file://www.example.com",
        "javascript:alert(1)",
        "null",
        "*",
        "https://",
        "https://*",
        "//www.example.com",
        "www.example.com",
        "https://www.example.com:99999",
        "https://www.example.com:x",
        "https://ｗww.example.com",
        "https://anything.example",
    ],
)
def test_look_alikes_are_refused_and_told_nothing(origin, ws_tables, user):
    token = mint_token(user)
    response = invoke(connect_event(token=token, origin=origin))
    status, said = decode_answer(response)
    assert status == 403
    assert said["message"] == "Origin not allowed"
    assert "example" not in response["body"].replace("execute-api", "")
    assert invoke(connect_event("C2=", token=token))["statusCode"] == 200, "the token is unspent"


def test_a_client_without_origin_is_refused_unless_the_setting_lets_it(ws_tables, user, settings):
    assert invoke(connect_event(token=mint_token(user), origin=None))["statusCode"] == 403
    settings.WS_LAMBDA = {"ALLOW_MISSING_ORIGIN": True}
    assert invoke(connect_event(token=mint_token(user), origin=None))["statusCode"] == 200
    assert invoke(connect_event("C2=", token=mint_token(user), origin="null"))["statusCode"] == 403


def test_on_a_developers_machine_http_and_any_port_of_its_own(settings):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = []
    assert is_allowed("http://127.0.0.1:8000")
    assert is_allowed("http://localhost:3000")
    assert not is_allowed("http://www.example.com")


def test_a_host_other_than_the_gateways(ws_tables, user):
    assert invoke(forged(connect_event(token=mint_token(user)), {"Host": "evil.example"}))["statusCode"] == 403
