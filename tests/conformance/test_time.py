"""What happens when, on a clock that the test moves."""

from tests.conformance.core import Bench, ours
from tests.conformance.facts import fact
from ws_lambda.local import Options

pytestmark = ours


def told(bench):
    return [(one["disconnectStatusCode"], one["disconnectReason"]) for one in bench.contexts("DISCONNECT")]


@fact("R", "time: ten idle minutes close with 1001 'Going away'")
def test_idle():
    bench = Bench()
    _, inbox = bench.connect()
    bench.clock.advance(599)
    assert inbox.close_code is None
    bench.clock.advance(1)
    assert inbox.close_code == 1001
    assert told(bench) == [(1001, "Going away")]


@fact("D", "time: data in either direction keeps a connection open")
def test_not_idle():
    bench = Bench()
    listens, quiet = bench.connect()
    talks, also_quiet = bench.connect()
    for _ in range(3):
        bench.clock.advance(500)
        assert bench.management.act("POST", listens.connection_id, b"x").status == 200
        bench.send(talks, "x")
    assert (quiet.close_code, also_quiet.close_code) == (None, None)
    bench.clock.advance(600)
    assert (quiet.close_code, also_quiet.close_code) == (1001, 1001)


@fact("D", "time: two hours close a connection, however busy")
def test_duration():
    bench = Bench()
    connection, inbox = bench.connect()
    for _ in range(14):
        bench.clock.advance(500)
        bench.send(connection, "x")
    assert inbox.close_code is None
    bench.clock.advance(200)
    assert inbox.close_code is not None
    assert len(told(bench)) == 1


def test_pings_are_a_matter_of_options():
    for counts, code in ((False, 1001), (True, None)):
        bench = Bench(options=Options(pings_count=counts))
        connection, inbox = bench.connect()
        bench.clock.advance(500)
        bench.gateway.receive_ping(connection)
        bench.clock.advance(500)
        assert inbox.close_code == code


@fact("D", "time: an integration has 29 seconds: a message gets 'Endpoint request timed out', and stays connected")
def test_timeout_on_a_message():
    bench = Bench()
    connection, inbox = bench.connect()
    bench.answers["$default"] = lambda event: slow(bench, 29)
    bench.send(connection, "x")
    assert not inbox.messages
    bench.answers["$default"] = lambda event: slow(bench, 29.1)
    bench.send(connection, "x")
    assert '"message": "Endpoint request timed out"' in inbox.messages.pop()
    assert inbox.close_code is None


@fact("D", "time: an integration that takes more than 29 seconds refuses a connect")
def test_timeout_on_connect():
    bench = Bench()
    bench.answers["$connect"] = lambda event: slow(bench, 30)
    assert bench.try_connect().status == 504


async def slow(bench, seconds):
    await bench.clock.sleep(seconds)
    return {"statusCode": 200}


@fact("D", "time: posting before $connect has returned is a 410")
def test_post_before_connect_has_returned():
    bench, seen = Bench(), []

    def greet(event):
        seen.append(bench.management.act("POST", event["requestContext"]["connectionId"], b"hello").status)
        return {"statusCode": 200}

    bench.answers["$connect"] = greet
    connection, inbox = bench.connect()
    assert seen == [410]
    assert bench.management.act("POST", connection.connection_id, b"hello").status == 200
    assert list(inbox.messages) == ["hello"]
