"""The HTTP proxy integration: the requests that the backend gets."""

import pytest

from tests.conformance.core import Bench, ours
from tests.conformance.facts import fact
from ws_lambda.local.api_definition import Answer
from ws_lambda.local.integration_http import HttpIntegration, evaluate

pytestmark = ours
PARAMETERS = {
    "integration.request.header.connectionId": "context.connectionId",
    "integration.request.header.X-Source": "context.identity.sourceIp",
    "integration.request.header.X-Secret": "'s3cret''",
    "integration.request.header.X-Channel": "route.request.querystring.channel",
    "integration.request.header.X-Origin": "route.request.header.origin",
    "integration.request.header.X-Text": "route.request.body.a.text",
    "integration.request.querystring.extra": "context.stage",
}


@pytest.fixture
def backend():
    got = []

    async def send(request):
        got.append(request)
        return Answer(status=200, body="from http")

    bench = Bench()
    integration = HttpIntegration(url="https://site/ws/x", send=send, parameters=PARAMETERS)
    for key, route in list(bench.gateway.api.routes.items()):
        bench.gateway.api.routes[key] = type(route)(integration=integration, replies=True)
    return bench, got


@fact("R", "HTTP: on messages the backend sees User-Agent AmazonAPIGateway_<apiId> and X-Amzn-Apigateway-Api-Id")
def test_headers_of_a_message(backend):
    bench, got = backend
    connection, inbox = bench.connect("channel=general", Origin="https://o", Cookie="a=b")
    bench.send(connection, {"a": {"text": "hi"}})
    assert got[1].body == b'{"a": {"text": "hi"}}'
    assert got[1].headers == {
        "User-Agent": "AmazonAPIGateway_a", "X-Amzn-Apigateway-Api-Id": "a", "Content-Type": "application/json",
        "connectionId": connection.connection_id, "X-Source": "127.0.0.1", "X-Secret": "s3cret'", "X-Text": "hi",
    }  # fmt: skip
    assert got[1].url == "https://site/ws/x?extra=s"
    assert list(inbox.messages) == ["from http"]


@fact("D", "HTTP: route.request.querystring and .header map on $connect, and context everywhere")
def test_headers_of_a_connect(backend):
    bench, got = backend
    connection, _ = bench.connect("channel=general&channel=b", Origin="https://o", Cookie="a=b")
    assert got[0].headers["connectionId"] == connection.connection_id
    assert (got[0].headers["X-Channel"], got[0].headers["X-Origin"]) == ("b", "https://o")
    assert (got[0].headers["Cookie"], "Host" in got[0].headers) == ("a=b", False)
    assert got[0].url == "https://site/ws/x?channel=general&channel=b&extra=s"
    assert got[0].body == b""


def test_a_mapped_header_replaces_the_clients():
    bench = Bench()
    integration = HttpIntegration(url="u", send=None, parameters=PARAMETERS)
    bench.connect("", ConnectionID="forged", Cookie="a=b")
    headers = integration.request(bench.events[0]).headers
    assert [value for name, value in headers.items() if name.lower() == "connectionid"] == [
        bench.contexts("CONNECT")[0]["connectionId"]
    ]


@fact("D", "HTTP: the status of the backend refuses a connect as the function's does")
def test_refusal(backend):
    bench, _ = backend

    async def refuse(request):
        return Answer(status=403)

    integration = HttpIntegration(url="u", send=refuse)
    bench.gateway.api.routes["$connect"] = type(bench.gateway.api.routes["$connect"])(integration=integration)
    assert bench.try_connect().status == 403


@pytest.mark.parametrize("body", ["not json", "[1]", '{"a": 5}', ""])
def test_a_path_that_leads_nowhere_maps_nothing(body):
    assert evaluate("route.request.body.a.text", {"requestContext": {}, "body": body}) is None


def test_invalid_expressions():
    with pytest.raises(ValueError, match="mapping expression"):
        evaluate("route.request.path.x", {"requestContext": {}})
