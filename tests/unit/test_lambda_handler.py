"""The entry point: which source answers an event, and until when it may send."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.local import Local
from django.urls import reverse, set_script_prefix

import ws_lambda
from tests.golden import golden
from ws_lambda import delivery, lambda_handler
from ws_lambda.deadlines import MARGIN
from ws_lambda.exceptions import UnknownEvent
from ws_lambda.lambda_handler import SOURCES, handler
from ws_lambda.sources import packed_settings
from ws_lambda.testing import LambdaContext

PACKAGE = Path(ws_lambda.__file__).parent
ASKS_LAMBDA_FOR_TIME = {
    "deadlines.py",
    "local/lambda_context.py",  # is the context object of the local gateway
    "provisioning/zappa/drive.py",  # and this that of the try-out
}


def queued(queue: str) -> dict[str, Any]:
    return {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}"}]}


EVENTS = {
    "connect": (golden("connect"), "websocket"),
    "message": (golden("message"), "websocket"),
    "disconnect": (golden("disconnect_client"), "websocket"),
    "a job": (
        {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:jobs"}]},
        "fanout_queue",
    ),
    "another queue": (
        {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:in"}]},
        "zappa",
    ),
    "a command": ({"ws_lambda": "prune"}, "commands"),
    "a management command": ({"manage": "check"}, "commands"),
    "a schedule": (golden("services/scheduled"), "schedule"),
    "an authorizer's event": ({**golden("connect"), "type": "REQUEST", "methodArn": "arn"}, "authorizer_request"),
    "an authorizer's event of an HTTP API": (
        {**golden("http/http_api"), "type": "REQUEST", "routeArn": "arn"},
        "authorizer_request",
    ),
    **{
        f"HTTP, {path.stem}": (golden(f"http/{path.stem}"), "http") for path in Path("tests/events/http").glob("*.json")
    },
    "a topic": (golden("services/sns"), "zappa"),
    "zappa invoke": ({"command": "os.getcwd"}, "zappa"),
}


def named(source: Any) -> str:
    return str(source.__name__).rpartition(".")[2]


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function as Zappa packs it."""
    monkeypatch.setattr(packed_settings, "module", SimpleNamespace)


@pytest.mark.usefixtures("packed")
@pytest.mark.parametrize("name", EVENTS)
def test_each_event_has_one_source(settings: Any, name: str) -> None:
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/jobs"}
    event, expected = EVENTS[name]
    assert named(next(one for one in SOURCES if one.recognises(event))) == expected


def test_each_source_is_named_by_an_event() -> None:
    missing = {named(source) for source in SOURCES} - {expected for _event, expected in EVENTS.values()}
    assert not missing, f"Add an event of {missing} to EVENTS in tests/unit/test_lambda_handler.py."


@pytest.mark.parametrize("source", SOURCES, ids=named)
def test_each_source_is_driven_by_a_test_of_its_own(source: Any) -> None:
    path = Path(__file__).parent / "sources" / f"test_{named(source)}.py"
    assert path.exists(), f"Write tests/unit/sources/{path.name}, which drives an event through the handler."
    tests = path.read_text()
    assert "def test_" in tests, path.name
    assert f"{named(source)}." in tests or "handler(" in tests, f"No test in {path.name} calls {named(source)}."


@pytest.mark.parametrize("name", ["another queue", "a topic", "zappa invoke"])
def test_where_another_tool_has_packed_the_function_zappas_events_are_unknown(name: str) -> None:
    with pytest.raises(UnknownEvent):
        handler(EVENTS[name][0], LambdaContext())


def test_every_module_that_recognises_events_is_a_source() -> None:
    modules = [path for path in (PACKAGE / "sources").glob("*.py") if "recognises" in path.read_text()]
    assert {path.stem for path in modules} - {"__init__"} == {named(source) for source in SOURCES}, (
        "Add the module in ws_lambda/sources/ to SOURCES in ws_lambda/lambda_handler.py."
    )
    assert named(SOURCES[-1]) == "zappa", "it takes what is left"


def test_a_new_source_is_a_module_and_a_name_and_gets_the_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    def answer(event: dict[str, Any], context: Any) -> str:
        left.append(delivery.seconds_left())
        return event["tide"]

    tides = SimpleNamespace(recognises=lambda event: "tide" in event, answer=answer)
    with pytest.raises(UnknownEvent, match="the keys tide"):
        handler({"tide": "high"}, LambdaContext())
    monkeypatch.setattr(lambda_handler, "SOURCES", (*SOURCES, tides))
    assert handler({"tide": "high"}, LambdaContext()) == "high"
    assert left[0] == pytest.approx(29 - MARGIN, abs=1)
    assert delivery.seconds_left() == float("inf"), "the deadline ends with the invocation"


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("prefix", ["/", "/forced/"])
def test_the_stage_of_a_request_is_in_no_url_of_the_next_event(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    """Django keeps the prefix for the thread. A command would put the stage of an earlier request into its links."""
    probe = SimpleNamespace(
        recognises=lambda event: "probe" in event, answer=lambda _event, _context: reverse("admin:index")
    )
    monkeypatch.setattr(lambda_handler, "SOURCES", (*SOURCES, probe))
    monkeypatch.setattr("django.urls.base._prefixes", Local())
    set_script_prefix(prefix)
    before = handler({"probe": 1}, LambdaContext())
    assert handler(golden("http/rest_api"), LambdaContext())["statusCode"] in (400, 404)
    assert handler({"probe": 1}, LambdaContext()) == before
    handler(golden("message"), LambdaContext())
    assert handler({"probe": 1}, LambdaContext()) == before


def test_one_module_works_out_how_much_time_lambda_leaves() -> None:
    asking = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "get_remaining_time_in_millis" in path.read_text()
    }
    assert asking == ASKS_LAMBDA_FOR_TIME
