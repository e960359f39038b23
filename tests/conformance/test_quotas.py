"""Throttles and concurrency."""

import pytest

from tests.conformance.core import Bench, ours
from tests.conformance.facts import fact
from ws_lambda.local.api_definition import Api, Route
from ws_lambda.local.connection import Connection
from ws_lambda.local.integration_lambda import LambdaIntegration
from ws_lambda.local.quotas import Quotas
from ws_lambda.local.upgrade import Refusal

pytestmark = ours


@fact("D", "quotas: 500 connects a second; the next gets a 429")
def test_connects():
    bench = Bench()
    for _ in range(500):
        bench.connect()
    refused = bench.try_connect()
    assert isinstance(refused, Refusal)
    assert refused.status == 429
    bench.clock.advance(1)
    for _ in range(500):
        bench.connect()
    assert bench.try_connect().status == 429


@fact("D", "quotas: there is none on how many are open")
def test_open_connections():
    bench = Bench()
    for _ in range(6):
        for _ in range(500):
            bench.connect()
        bench.clock.advance(1)
    assert len(bench.gateway.pool) == 3_000


@fact("D", "quotas: a burst of 5,000 requests, refilled at 10,000 a second")
def test_requests():
    bench = Bench()
    connection, _ = bench.connect()

    def post():
        return bench.management.act("POST", connection.connection_id, b"x").status

    assert [post() for _ in range(4_999)] == [200] * 4_999  # and the connect makes 5,000
    assert post() == 429
    bench.clock.advance(0.125)
    assert [post() for _ in range(1_250)] == [200] * 1_250
    assert post() == 429


@fact("D", "quotas: messages and @connections calls share one request rate")
def test_shared():
    bench = Bench(quotas=Quotas(requests_per_second=1, request_burst=3))
    connection, inbox = bench.connect()
    bench.send(connection, "x")
    assert bench.management.act("GET", connection.connection_id).status == 200
    assert bench.management.act("POST", connection.connection_id, b"x").status == 429
    bench.send(connection, "x")
    assert len(bench.contexts("MESSAGE")) == 1
    assert "Too Many Requests" in inbox.messages.pop()


@fact("M", "quotas: over the rate @connections answers LimitExceededException")
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_error_type(method):
    bench = Bench(quotas=Quotas(requests_per_second=0, request_burst=1))
    connection, inbox = bench.connect()
    answer = bench.management.act(method, connection.connection_id, b"x")
    assert (list(inbox.messages), inbox.close_code) == ([], None)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (429, "LimitExceededException")


@fact("D", "quotas: a function at its concurrency takes no further event")
def test_concurrency():
    bench, outcomes = Bench(quotas=Quotas(concurrency=1)), []
    connection, _inbox = bench.connect()

    def nested(event):
        outcomes.append(bench.try_connect())
        return {"statusCode": 200}

    bench.answers["$default"] = nested
    bench.send(connection, "x")
    assert outcomes[0].status == 429
    assert len(bench.contexts("CONNECT")) == 1
    assert isinstance(bench.try_connect(), Connection), "once the function has returned, it takes events again"


@fact("D", "quotas: a URL has at most 4,096 characters")
def test_url():
    bench = Bench()
    bench.connect("x=" + "y" * 4_092)  # with "/?x=" before it 4,096
    assert isinstance(bench.try_connect("x=" + "y" * 4_093), Refusal)


@fact("D", "quotas: an API has at most 300 routes")
def test_routes():
    route = Route(integration=LambdaIntegration(lambda event: None))
    with pytest.raises(ValueError, match="300"):
        Api(api_id="a", stage="s", domain_name="d", routes={str(number): route for number in range(301)})
