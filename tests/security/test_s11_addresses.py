"""S11: address, host and user are never taken from a header that the client can forge."""

import pytest

from tests import backends
from tests.security.forging import forged
from tests.urls import ChatView
from ws_lambda import process_state
from ws_lambda.models import WebSocketSession
from ws_lambda.process_state import Occasion
from ws_lambda.testing import connect_event, disconnect_event, invoke, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables", "still")
SPOOFS = (
    "X-Forwarded-For",
    "x-forwarded-for",
    "X_Forwarded_For",
    "Forwarded",
    "X-Real-Ip",
    "X-Ws-Source-Ip",
    "Client-Ip",
)


def test_a_new_forged_address_each_time_does_not_get_past_the_limit(user):
    for number in range(20):
        headers = dict.fromkeys(SPOOFS, f"198.51.100.{number}")
        assert invoke(forged(connect_event(token="0" * 64), headers))["statusCode"] == 401
    headers = dict.fromkeys(SPOOFS, "198.51.100.200")
    assert invoke(forged(connect_event(token="0" * 64), headers))["statusCode"] == 429


def test_the_session_and_the_request_have_the_true_one(user, use_view):
    seen = {}

    class Looking(ChatView):
        def additional_connection_checks(self, request):
            seen.update(request.META)
            return True, ""

    use_view(Looking)
    headers = dict.fromkeys(("X-Forwarded-For", "X_Forwarded_For", "x_forwarded_proto", "Forwarded"), "198.51.100.7")
    invoke(forged(connect_event(token=mint_token(user)), {**headers, "X-Forwarded-Host": "evil.example"}))
    assert WebSocketSession.get("C1=").source_ip == "203.0.113.9"
    assert seen["REMOTE_ADDR"] == "203.0.113.9"
    assert not [name for name in seen if "FORWARDED" in name]


def forwarded(user, use_view, headers):
    """What of these headers middleware and views are shown."""
    seen = {}

    class Looking(ChatView):
        def additional_connection_checks(self, request):
            seen.update(request.headers)
            return True, ""

    use_view(Looking)
    assert invoke(forged(connect_event(token=mint_token(user)), headers))["statusCode"] == 200
    return {name.lower() for name in seen}


@pytest.mark.parametrize(
    "name",
    [
        *("X-Auth-User", "Remote-User", "X-Remote-User", "X-Amzn-Oidc-Data", "X-Goog-Iap-Jwt-Assertion", "X-Email"),
        *("X-Requested-With", "Content-Type", "Via", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Remote_User"),
        *("X-Ws-Gateway-Secret", "X-Http-Method-Override", "X-CSRFToken", "Proxy", "Authorization2", "X-Original-Url"),
    ],
)
def test_a_header_that_only_a_trusted_proxy_sets_does_not_reach_middleware(user, use_view, name):
    before = forwarded(user, use_view, {})
    invoke(disconnect_event())
    WebSocketSession.get("C1=").delete()
    assert forwarded(user, use_view, {name: "root"}) == before


def test_no_header_changes_who_the_user_is(user, use_view, settings):
    """Elsewhere the project's proxy names the user in a header. No proxy stands before a WebSocket API."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.ProxyUserMiddleware"]
    process_state.forget(Occasion.SETTINGS)
    use_view(type("Cookies", (ChatView,), {"USE_WS_TOKEN": False}))
    headers = {"X-Auth-User": "admin", "X_Auth_User": "admin"}
    event = connect_event(channel="general", headers=headers)
    assert invoke(event)["statusCode"] == 403
    settings.WS_LAMBDA = {"FORWARDED_HEADERS": ["X-Auth-User"]}
    assert invoke(event)["statusCode"] == 200, "what the setting is for, and what it costs"
    process_state.forget(Occasion.SETTINGS)


class ProxyUserMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "X-Auth-User" in request.headers:
            request.user = backends.people["7"]
        return self.get_response(request)


BROWSERS = {
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en",
    "Authorization": "Bearer x",
    "Cache-Control": "no-cache",
    "Cookie": "theme=dark",
    "Pragma": "no-cache",
    "Sec-CH-UA": "x",
    "Sec-CH-UA-Mobile": "?0",
    "Sec-Fetch-Dest": "websocket",
    "Sec-Fetch-Mode": "websocket",
    "Sec-Fetch-Site": "same-origin",
    "Sec-GPC": "1",
    "DNT": "1",
    "Sec-WebSocket-Extensions": "permessage-deflate",
    "Sec-WebSocket-Key": "x",
    "Sec-WebSocket-Version": "13",
    "User-Agent": "Mozilla/5.0",
    "X-Amzn-Trace-Id": "Root=1-1-1",
    "traceparent": "00-1-1-01",
    "tracestate": "a=b",
    "baggage": "a=b",
    "sentry-trace": "a-b-1",
}


def test_what_browsers_and_traces_send_does(user, use_view):
    got = forwarded(user, use_view, BROWSERS)
    assert {name.lower() for name in BROWSERS} <= got
    assert {"host", "origin"} <= got


def test_one_setting_adds_to_the_list_except_headers_that_no_client_may_set(user, use_view, settings):
    settings.WS_LAMBDA = {"FORWARDED_HEADERS": ["X-Client-Version", "X-Forwarded-For", "Sec-WebSocket-Protocol"]}
    sent = {"X-Client-Version": "3", "X-Forwarded-For": "198.51.100.7", "Sec-WebSocket-Protocol": "chat.v1"}
    got = forwarded(user, use_view, sent)
    assert "x-client-version" in got
    assert not {"x-forwarded-for", "sec-websocket-protocol"} & got
