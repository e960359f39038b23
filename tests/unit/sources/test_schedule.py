"""Scheduled events without an input of their own."""

import logging
from typing import Any

import pytest

from tests.golden import golden
from ws_lambda.exceptions import UnknownEvent
from ws_lambda.lambda_handler import handler
from ws_lambda.testing import LambdaContext

RULE = "arn:aws:events:eu-west-1:123456789012:rule/"


def scheduled(resource: str, **more: Any) -> dict[str, Any]:
    return {**golden("services/scheduled"), "resources": [resource], **more}


ran: list[Any] = []


def nightly(event: Any) -> str:
    """A function of the project."""
    ran.append(event)
    return "done"


NIGHTLY = f"{__name__}.nightly"


@pytest.mark.parametrize(
    ("resource", "source"),
    [
        (f"{RULE}demo-Prune-1ABCDEFGHIJKL", "aws.events"),
        (f"{RULE}nightly", "aws.events"),
        ("arn:aws:scheduler:eu-west-1:123456789012:schedule/default/prune", "aws.scheduler"),
    ],
)
def test_a_schedule_that_names_no_function_runs_nothing_and_says_so(
    resource: str, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = handler(scheduled(resource, source=source), LambdaContext())
    assert answer == {"message": caplog.messages[0]}
    assert answer["message"].startswith("This schedule names no function, so nothing was run. ")
    assert '{"ws_lambda": "prune"}' in answer["message"]


def test_a_schedule_without_resources_runs_nothing() -> None:
    assert "nothing was run" in handler({"detail-type": "Scheduled Event"}, LambdaContext())["message"]


def test_a_rule_of_zappas_runs_the_function_that_its_name_ends_in(settings: Any) -> None:
    settings.WS_LAMBDA = {"EVENT_FUNCTIONS": [NIGHTLY]}
    ran.clear()
    event = scheduled(f"{RULE}demo-dev-nightly-{NIGHTLY}", kwargs={"a": 1})
    assert handler(event, LambdaContext()) == "done"
    assert ran == [event]


@pytest.mark.parametrize("name", [NIGHTLY, "os.abort", "ws_lambda.sources.management_command.run"])
def test_a_rule_runs_nothing_that_the_deployment_has_not_named(name: str) -> None:
    ran.clear()
    with pytest.raises(PermissionError, match="which the deployment has not named"):
        handler(scheduled(f"{RULE}demo-dev-{name}"), LambdaContext())
    assert ran == []


def test_an_event_that_others_put_on_a_bus_is_no_schedule() -> None:
    with pytest.raises(UnknownEvent, match="detail-type"):
        handler(scheduled(f"{RULE}demo-dev-ws_lambda.housekeeping.prune", source="of.somebody"), LambdaContext())


def test_keeping_warm_runs_nothing_and_is_no_mistake(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert handler(scheduled(f"{RULE}demo-dev-zappa-keep-warm-handler.keep_warm_callback"), LambdaContext()) is None
    assert caplog.messages == []
