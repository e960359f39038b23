"""`$disconnect` is best effort: it may never come, come twice, come late, or come after later events."""

import pytest

from tests.conformance.core import Bench, ours
from tests.conformance.facts import fact
from ws_lambda.local import Faults

pytestmark = ours


def kinds(bench):
    return [
        (one["requestContext"]["eventType"], one["requestContext"]["connectionId"][:3])
        for one in bench.events
        if one["requestContext"]["eventType"] != "MESSAGE"
    ]


@fact("D", "disconnect: it is best effort, and may never come")
def test_dropped():
    bench = Bench(faults=Faults(disconnect_drop=1))
    connection, _ = bench.connect()
    bench.gateway.closed(connection, 1000)
    bench.clock.advance(60)
    assert bench.contexts("DISCONNECT") == []
    assert bench.gateway.journal.entries[-1].note == "dropped"
    assert len(bench.gateway.pool) == 0


def test_duplicated():
    bench = Bench(faults=Faults(disconnect_duplicate=1))
    connection, _ = bench.connect()
    bench.gateway.closed(connection, 1000)
    bench.clock.advance(0)
    assert len(bench.contexts("DISCONNECT")) == 2


def test_delayed():
    bench = Bench(faults=Faults(disconnect_delay=30))
    connection, _ = bench.connect()
    bench.gateway.closed(connection, 1000)
    bench.clock.advance(29)
    assert bench.contexts("DISCONNECT") == []
    bench.clock.advance(1)
    assert len(bench.contexts("DISCONNECT")) == 1


def test_reordered():
    bench = Bench(faults=Faults(disconnect_reorder=1))
    first, _ = bench.connect()
    bench.gateway.closed(first, 1000)
    bench.clock.advance(1)
    second, _ = bench.connect()
    bench.clock.advance(60)
    ids = [one.connection_id[:3] for one in (first, second, first)]
    assert kinds(bench) == list(zip(["CONNECT", "CONNECT", "DISCONNECT"], ids, strict=True))


def test_reordered_with_nothing_to_follow():
    bench = Bench(faults=Faults(disconnect_reorder=1))
    connection, _ = bench.connect()
    bench.gateway.closed(connection, 1000)
    bench.clock.advance(60)
    assert len(bench.contexts("DISCONNECT")) == 1


@fact("D", "disconnect: without a route $disconnect nobody is told")
def test_no_route():
    bench = Bench()
    bench.gateway.api.routes.pop("$disconnect")
    connection, _ = bench.connect()
    bench.gateway.closed(connection, 1000)
    bench.clock.advance(0)
    assert bench.contexts("DISCONNECT") == []


def test_a_function_that_fails_on_disconnect_is_not_asked_again():
    bench = Bench()
    bench.answers["$disconnect"] = ValueError("no")
    connection, _ = bench.connect()
    bench.gateway.closed(connection, 1000)
    bench.clock.advance(60)
    assert len(bench.contexts("DISCONNECT")) == 1


@pytest.mark.parametrize(
    ("fault", "status"), [("connections_gone", 410), ("connections_limit", 429), ("connections_error", 500)]
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_faults_of_connections_calls(fault, status, method):
    bench = Bench(faults=Faults(**{fault: 1}))
    connection, inbox = bench.connect()
    assert bench.management.act(method, connection.connection_id, b"x").status == status
    assert (list(inbox.messages), inbox.close_code) == ([], None)


def test_the_same_seed_gives_the_same_faults():
    def run():
        bench = Bench(faults=Faults(connections_gone=0.5))
        connection, _ = bench.connect()
        return [bench.management.act("POST", connection.connection_id, b"x").status for _ in range(50)]

    assert run() == run()
    assert set(run()) == {200, 410}


def test_a_killed_connection_has_no_close_frame():
    bench = Bench(faults=Faults(kill=1))
    connection, inbox = bench.connect()
    bench.send(connection, "x")
    assert inbox.close_code == 1006
    assert bench.contexts("DISCONNECT")[0]["disconnectStatusCode"] == 1006


def test_latency_takes_its_time():
    bench = Bench(faults=Faults(latency=(0.5, 0.5)))
    before = bench.clock.now()
    bench.connect()
    assert bench.clock.now() == before + 0.5
