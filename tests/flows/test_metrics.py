"""What a deployed function counts and logs while it answers events: every metric that telemetry names."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.deployed import deployed, lines
from tests.flows.housekeeping.conftest import open_one
from tests.urls import ChatView
from ws_lambda import aws, delivery, telemetry
from ws_lambda.models import WebSocketSession
from ws_lambda.testing import LambdaContext, connect_event, disconnect_event, invoke, message_event, mint_token

pytestmark = pytest.mark.usefixtures("still", "ws_tables")

PRUNE = "arn:aws:events:eu-west-1:123456789012:rule/demo-dev-prune-ws_lambda.housekeeping.prune"
ANSWERS = {"here=": 200, "there=": 200, "gone=": 410, "hidden=": 403}


class View(ChatView):
    def broadcast(self, request, *args, **kwargs):
        logging.getLogger("project").info("about to send")
        return {"sent": WebSocketSession.objects.filter(channel_name="hall").send_message("hello").sent}

    def can_join_channel(self, request, channel_name):
        if channel_name == "broken":
            raise RuntimeError
        return super().can_join_channel(request, channel_name)

    def breaks(self, request, *args, **kwargs):
        raise RuntimeError


class Sockets:
    """Answers for `@connections` without a network."""

    endpoint_url = "https://abc123.execute-api.eu-west-1.amazonaws.com/production"

    def exchange(self, request: delivery.Request) -> delivery.Response:
        return delivery.Response(ANSWERS[request.context.recipient.connection_id])


@pytest.fixture
def far_side() -> Iterator[Any]:
    with delivery.using_transport(sockets := Sockets()):
        yield sockets


def metrics(written: list[dict[str, Any]]) -> dict[str, float]:
    """The metrics of one event, those by reason as `Refusals by <reason>`."""
    found: dict[str, float] = {}
    for line in written:
        for described in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for name in (one["Name"] for one in described["Metrics"]):
                found[f"{name} by {line['reason']}" if "reason" in line else name] = line[name][0]
    return found


@pytest.fixture
def counted(user: Any, use_view: Any, far_side: Any, settings: Any, capsys: Any) -> dict[str, dict[str, float]]:
    """The metrics of one event of each kind."""
    use_view(View)
    queue = aws.client("sqs").create_queue(QueueName="fanout")["QueueUrl"]
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="waiting")
    token = mint_token(user)
    for name in ANSWERS:
        open_one(far_side, name, age=timedelta(minutes=30), channel="hall")
    prune = {"detail-type": "Scheduled Event", "resources": [PRUNE]}
    events = {
        "connect": connect_event(token=token, channel="lobby"),
        "refused": connect_event("C2=", token=token),
        "broadcast": message_event({"action": "broadcast"}),
        "failed": connect_event("C3=", token=mint_token(user), channel="broken"),
        "breaks": message_event({"action": "breaks"}),
        "prune": prune,
        "queued": message_event({"action": "broadcast"}),
        "prune with a queue": prune,
        "disconnect": disconnect_event(),
    }
    found = {}
    with deployed():
        for kind, event in events.items():
            if kind == "queued":
                settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": queue, "FANOUT_INLINE_MAX": 1}
            invoke(event)
            found[kind] = metrics(lines(capsys))
    return found


def test_every_metric_is_written_by_the_event_that_it_counts(counted: dict[str, dict[str, float]]) -> None:
    assert counted["connect"].items() >= {"Connects": 1, "ColdStarts": 1}.items()
    assert counted["refused"].items() >= {"Refusals": 1, "Refusals by TokenRefused": 1}.items()
    outcomes = {kind: {name for name in one if name.startswith("Connects")} for kind, one in counted.items()}
    assert outcomes["connect"] == {"Connects"}
    assert outcomes["refused"] == {"Connects", "ConnectsRefused"}
    assert outcomes["failed"] == {"Connects", "ConnectsFailed"}
    assert counted["broadcast"].items() >= {"Messages": 1, "Deliveries": 2, "Gone": 1, "Failed": 1}.items()
    assert counted["breaks"].items() >= {"Messages": 1, "Failures": 1}.items()
    assert counted["disconnect"].items() >= {"Disconnects": 1}.items()
    assert counted["prune"].items() >= {"PruneRuns": 1}.items()
    assert "QueueDepth" not in counted["prune"]
    assert counted["prune with a queue"]["QueueDepth"] == 1 + counted["queued"]["Queued"]
    assert counted["queued"]["Queued"] > 0
    assert all(one["HandlerTime"] > 0 for one in counted.values())
    named = set(re.findall(r"\b[A-Z][A-Za-z]+\b", (telemetry.__doc__ or "").partition("name):")[2]))
    assert {name.partition(" ")[0] for one in counted.values() for name in one} == named


def test_log_lines_of_a_project_carry_ids(user: Any, use_view: Any, far_side: Any, capsys: Any) -> None:
    use_view(View)
    event, context = message_event({"action": "broadcast"}), LambdaContext()
    with deployed():
        invoke(connect_event(token=mint_token(user)))
        invoke(event, context)
    (line,) = [one for one in lines(capsys) if one.get("message") == "about to send"]
    assert (line["connection_id"], line["route"], line["level"]) == ("C1=", "$default", "INFO")
    sent = event["requestContext"]["requestId"]
    assert (line["request_id"], line["function_request_id"]) == (sent, context.aws_request_id)
