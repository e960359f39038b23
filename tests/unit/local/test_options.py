"""Options for behaviour that AWS does not document: each does what it says, and docs/local.md names it."""

from dataclasses import fields

import pytest

from tests.conformance.core import Bench
from tests.local_site import ROOT
from ws_lambda.local.options import Options, parse
from ws_lambda.local.upgrade import Refusal


def test_docs_name_every_option():
    page = (ROOT / "docs" / "local.md").read_text()
    assert [one.name for one in fields(Options) if f"`{one.name}`" not in page] == []


@pytest.mark.parametrize(
    ("option", "end"),
    [
        ("duration_close", lambda bench, connection: bench.clock.advance(7_200)),
        ("network_loss", lambda bench, connection: bench.gateway.lose(connection)),
    ],
)
def test_code_and_reason_of_a_close(option, end):
    bench = Bench(options=Options(**{option: (4_000, "so it is")}))
    connection, inbox = bench.connect()
    for _ in range(14):
        bench.clock.advance(500)
        bench.send(connection, "x")
    end(bench, connection)
    bench.clock.advance(0)
    assert (inbox.close_code, inbox.close_reason) == (4_000, "so it is")
    told = bench.contexts("DISCONNECT")[0]
    assert (told["disconnectStatusCode"], told["disconnectReason"]) == (4_000, "so it is")


@pytest.mark.parametrize(("option", "code"), [("too_big_reason", 1009), ("binary_reason", 1003)])
def test_reason_of_a_close(option, code):
    bench = Bench(options=Options(**{option: "so it is"}))
    connection, inbox = bench.connect()
    {1009: bench.gateway.receive_too_big, 1003: bench.gateway.receive_binary}[code](connection)
    assert (inbox.close_code, inbox.close_reason) == (code, "so it is")


@pytest.mark.parametrize(("is_error", "said"), [(True, "Internal server error"), (False, "own words")])
def test_failed_status_is_error(is_error, said):
    bench = Bench(options=Options(failed_status_is_error=is_error))
    bench.answers["$default"] = {"statusCode": 500, "body": "own words"}
    connection, inbox = bench.connect()
    bench.send(connection, "x")
    assert said in inbox.messages.pop()


@pytest.mark.parametrize(("shown", "body"), [(True, "own words"), (False, "")])
def test_refusal_body(shown, body):
    bench = Bench(options=Options(refusal_body=shown))
    bench.answers["$connect"] = {"statusCode": 403, "body": "own words"}
    refused = bench.try_connect()
    assert isinstance(refused, Refusal)
    assert refused.body == body


def test_forwarded_proto():
    bench = Bench(options=Options(forwarded_proto="http"))
    bench.connect()
    assert bench.events[0]["headers"]["X-Forwarded-Proto"] == "http"


def test_stage_variables():
    bench = Bench()
    bench.connect()
    assert "stageVariables" not in bench.events[-1]
    object.__setattr__(bench.gateway.api, "stage_variables", {"a": "b"})
    bench.connect()
    assert bench.events[-1]["stageVariables"] == {"a": "b"}


def test_what_the_command_line_says():
    chosen = parse(["pings_count=yes", "refusal_body=no", "duration_close=1000 Two hours", "binary_reason=a=b"])
    assert chosen == Options(pings_count=True, duration_close=(1000, "Two hours"), binary_reason="a=b")
    assert parse([]) == Options()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("nonsense=1", "There is no option 'nonsense'"),
        ("pings_count=perhaps", "must be yes or no"),
        ("duration_close=Bye", "a close code from 1000 to 4999 and a reason"),
        ("duration_close=70000 Bye", "a close code from 1000 to 4999 and a reason"),
    ],
)
def test_what_it_cannot_say(setting, said):
    with pytest.raises(ValueError, match=said):
        parse([setting])
