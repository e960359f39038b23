"""The in-process gateway: time, settings, and a custom function."""

import pytest

from tests import urls
from ws_lambda import clock
from ws_lambda.local import Faults, Options
from ws_lambda.local.quotas import Quotas
from ws_lambda.testing import ConnectRefused, InProcessGateway, WebSocketTestClient


def answering(answer):
    return lambda event, context: answer


def test_time_stands_still_until_it_is_moved(ws_gateway):
    before = clock.now()
    assert clock.now() == before
    ws_gateway.advance(60)
    assert clock.now() == before + 60


def test_time_runs_again_afterwards():
    real = clock.now
    with InProcessGateway():
        assert clock.now is not real
    assert clock.now is real


def test_an_idle_connection_is_closed_after_ten_minutes(ws_client, ws_gateway, user):
    idle, busy = ws_client(user=user), ws_client(user=user)
    ws_gateway.advance(599)
    busy.send_json({"action": "ask"})
    ws_gateway.advance(1)
    assert (idle.connected, idle.close_code) == (False, 1001)
    assert busy.connected
    assert idle.session.connected is False


def test_tokens_expire(ws_client, ws_gateway, user):
    token = ws_client(user=user).login.mint()
    ws_gateway.advance(61)
    with pytest.raises(ConnectRefused):
        ws_client(token=token)


def test_middleware_can_be_overridden(ws_client, user, settings):
    usual = settings.MIDDLEWARE
    settings.MIDDLEWARE = ["tests.unit.testing.test_gateway.closed_for_lunch"]
    with pytest.raises(ConnectRefused) as refused:
        ws_client(user=user)
    assert refused.value.status == 503
    settings.MIDDLEWARE = usual
    assert ws_client(user=user).connected


def closed_for_lunch(get_response):
    from django.http import HttpResponse

    return lambda request: HttpResponse("at lunch", status=503)


def test_the_package_settings_can_be_overridden(ws_client, user, settings):
    settings.WS_LAMBDA = {"CONNECTS_PER_MINUTE": 1}
    ws_client(user=user)
    with pytest.raises(ConnectRefused) as refused:
        ws_client(user=user)
    assert refused.value.status == 429


def test_an_accepted_gateway_id_is_used(settings):
    settings.WS_LAMBDA = {"GATEWAY_IDS": ["abc123"]}
    with InProcessGateway() as gateway:
        assert gateway.core.api.api_id == "abc123"


def test_a_function_of_ones_own():
    with InProcessGateway(handler=answering({"statusCode": 200, "body": "own"})) as gateway:
        ws = WebSocketTestClient().connect()
        ws.send_text("x")
        assert ws.receive_text() == "own"
        assert [one["requestContext"]["eventType"] for one in gateway.events] == ["CONNECT", "MESSAGE"]


def test_exceptions_can_reach_the_test(ws_tables, user):
    def failing(event, context):
        raise LookupError("on purpose")

    with InProcessGateway(raise_exceptions=True, handler=failing), pytest.raises(LookupError, match="on purpose"):
        WebSocketTestClient().connect()


def test_an_answer_that_is_not_json_is_a_failure_of_the_function():
    with InProcessGateway(handler=answering({"statusCode": 200, "body": object()})):
        with pytest.raises(ConnectRefused, match="not JSON serializable") as refused:
            WebSocketTestClient().connect()
        assert refused.value.status == 502


def test_quotas_can_be_set():
    with InProcessGateway(handler=answering({"statusCode": 200}), quotas=Quotas(connects_per_second=2)) as gateway:
        WebSocketTestClient().connect(), WebSocketTestClient().connect()
        with pytest.raises(ConnectRefused, match="too many connects") as refused:
            WebSocketTestClient().connect()
        assert refused.value.status == 429
        gateway.advance(1)
        assert WebSocketTestClient().connect().connected


def test_faults_can_be_set(user, ws_tables):
    with InProcessGateway(faults=Faults(connections_gone=1.0)):
        ws = WebSocketTestClient(user=user, channel="general").connect()
        ws.send_json({"action": "say", "text": "lost"})
        assert {"said": "lost"} not in ws.receive_all()


def test_options_can_be_set():
    refusing = answering({"statusCode": 403, "body": "because"})
    with InProcessGateway(handler=refusing, options=Options(refusal_body=True)):
        with pytest.raises(ConnectRefused) as refused:
            WebSocketTestClient().connect()
        assert refused.value.body == "because"


def test_the_innermost_gateway_is_the_active_one(ws_gateway):
    with InProcessGateway() as inner:
        assert InProcessGateway.active() is inner
    assert InProcessGateway.active() is ws_gateway


def test_posting_to_a_path_that_is_no_connection_is_forbidden(ws_gateway):
    from ws_lambda.delivery import Request
    from ws_lambda.testing.transport import GatewayTransport

    answer = GatewayTransport(ws_gateway.management).exchange(Request("POST", "https://x/test/other", []))
    assert answer.status == 403


def test_routes_of_the_settings_are_there(settings):
    settings.WS_LAMBDA = {"ROUTE_PATHS": {"notes": "/notes/"}}
    with InProcessGateway(routes=("more",)) as gateway:
        assert {"notes", "more", "$default"} <= set(gateway.core.api.routes)


def test_the_baseline_view_is_in_place():
    assert urls.current["view"].__name__ == "Chat"
