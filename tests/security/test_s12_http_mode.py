"""S12: an HTTP request counts as the gateway's only with the gateway's secret. docs/contract.md 30."""

import pytest
from django.test import Client

from tests import backends
from tests.golden import golden
from ws_lambda.events import HTTP_HEADERS
from ws_lambda.models import WebSocketSession, channel_permissions, gateways
from ws_lambda.testing import connect_event, invoke, mint_token
from ws_lambda.testing.gateway_events import DOMAIN_NAME

SECRET = "the-secret-of-the-gateway-in-this-test"


@pytest.fixture
def c1(ws_requests, user):
    invoke(connect_event(token=mint_token(user), apiId="abc123", stage="prod"))
    ws_requests.clear()


def forged(**more):
    """Every header that the gateway would send, but for the secret."""
    values = {
        "connectionId": "C1=",
        "X-Ws-Event-Type": "MESSAGE",
        "X-Ws-Route-Key": "$default",
        "X-Ws-Api-Id": "abc123",
        "X-Ws-Stage": "prod",
        "X-Ws-Domain-Name": DOMAIN_NAME,
        "X-Ws-Source-Ip": "203.0.113.9",
        "X-Ws-Request-Id": "r",
    }
    assert values.keys() <= HTTP_HEADERS.keys()
    amazon = {"User-Agent": "AmazonAPIGateway_abc123", "X-Amzn-Apigateway-Api-Id": "abc123"}
    return {**values, **amazon, **more}


def post(path, body=b'{"action": "chat"}', **headers):
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize("configured", ["", [], SECRET, [SECRET, "older"]])
@pytest.mark.parametrize("guess", [None, "", "wrong", SECRET[:-1], SECRET + "x", "['" + SECRET + "']"])
@pytest.mark.parametrize("route", ["connect", "default", "disconnect"])
def test_copied_headers_without_the_secret_are_refused_before_any_read(
    c1, ws_requests, settings, configured, guess, route, caplog
):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": configured}
    backends.DictBackend.reads = 0
    gateways.forget()
    channel_permissions.forget_cache()
    more = {"Cookie": "sessionid=0123456789abcdef", "Origin": "https://www.example.com"}
    if guess is not None:
        more["X-Ws-Gateway-Secret"] = guess
    response = post(f"/ws/{route}?ws_token={'0' * 64}&channel=general", **forged(**more))
    assert response.status_code == 403
    assert (ws_requests, backends.DictBackend.reads) == ([], 0)
    assert SECRET not in caplog.text + response.content.decode()
    if guess and guess != "wrong":
        assert guess not in caplog.text


def test_an_empty_secret_in_the_list_opens_nothing(c1, settings):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": ["", SECRET]}
    assert post("/ws/default", **forged(**{"X-Ws-Gateway-Secret": ""})).status_code == 403


@pytest.mark.parametrize("used", [SECRET, "older"])
def test_with_any_secret_of_the_list_it_is_the_gateway(c1, settings, used):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": [SECRET, "older"]}
    response = post("/ws/default", **forged(**{"X-Ws-Gateway-Secret": used}))
    assert (response.status_code, response.json()) == (200, {"handler": "chat", "user": "user7"})


def test_connect_and_disconnect_over_http(ws_tables, user, settings):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": SECRET}
    proved = {
        "X-Ws-Gateway-Secret": SECRET,
        "connectionId": "H1=",
        "X-Ws-Api-Id": "abc123",
        "Origin": "https://www.example.com",
    }
    address = f"/ws/connect?channel=general&ws_token={mint_token(user)}"
    assert post(address, b"", **proved, **{"X-Ws-Source-Ip": "198.51.100.2"}).status_code == 200
    opened = WebSocketSession.get("H1=")
    assert (opened.channel_name, opened.source_ip, opened.user_id) == ("general", "198.51.100.2", "7")
    assert post("/ws/disconnect", b"", **proved).status_code == 200
    assert not WebSocketSession.get("H1=").connected


def test_proved_but_no_event(ws_tables, settings):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": SECRET}
    assert post("/ws/default", **{"X-Ws-Gateway-Secret": SECRET}).status_code == 400


def test_a_lambda_event_cannot_be_forged_by_headers_within_it(c1):
    event = golden("message", connectionId="C9=")
    event["headers"] = forged()
    event["body"] = "{}"
    assert invoke(event)["statusCode"] == 400


@pytest.mark.parametrize(
    "sent",
    [
        {"X-Ws-Domain-Name": "abc123.execute-api.evil.example"},
        {"X-Ws-Domain-Name": "abc123.execute-api.eu-west-1.amazonaws.com.evil.example"},
        {"X-Ws-Domain-Name": "evil.example/abc123.execute-api.eu-west-1.amazonaws.com"},
        {"X-Ws-Api-Id": "evil.example/x"},
        {"X-Ws-Stage": "prod/../..//evil.example"},
        {"X-Ws-Stage": "prod?x="},
    ],
)
def test_a_header_that_the_gateway_does_not_map_redirects_no_messages(ws_tables, user, settings, sent):
    settings.WS_LAMBDA = {"GATEWAY_SECRET": SECRET}
    proved = {
        "X-Ws-Gateway-Secret": SECRET,
        "connectionId": "H1=",
        "X-Ws-Api-Id": "abc123",
        "Origin": "https://www.example.com",
    }
    answer = post(f"/ws/connect?ws_token={mint_token(user)}", b"", **{**proved, "X-Ws-Stage": "prod", **sent})
    opened = [row.endpoint_url for row in WebSocketSession.scan()]
    assert (answer.status_code, opened) in [
        (400, []),
        (200, ["https://abc123.execute-api.eu-west-1.amazonaws.com/prod"]),
    ]


def test_a_generated_address_is_where_messages_go(ws_tables, user):
    hosts = ("a.execute-api.cn-north-1.amazonaws.com.cn", "a.execute-api-fips.us-gov-west-1.amazonaws.com")
    for number, host in enumerate(hosts):
        invoke(connect_event(f"C{number}=", token=mint_token(user), domainName=host))
        assert WebSocketSession.get(f"C{number}=").endpoint_url == f"https://{host}/test"
