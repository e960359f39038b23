"""Logs and metrics of a deployed function."""

import logging

import pytest
from django.test import override_settings

from tests.deployed import deployed, lines
from ws_lambda import telemetry
from ws_lambda.models import ChannelMessage


def test_log_lines_are_json_and_carry_the_ids(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(), telemetry.invocation(connection_id="C1=", route="chat", request_id="R1=", api_id=""):
        logging.getLogger("project").warning("something about %s", "chat")
    line = lines(capsys)[0]
    assert (line["message"], line["level"], line["service"]) == ("something about chat", "WARNING", "demo-dev")
    assert (line["connection_id"], line["route"], line["request_id"]) == ("C1=", "chat", "R1=")
    assert "api_id" not in line


def test_ids_do_not_outlive_their_event(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed():
        with telemetry.invocation(connection_id="C1="):
            pass
        logging.getLogger("project").warning("later")
    assert "connection_id" not in lines(capsys)[-1]


def test_metrics_are_one_embedded_line_for_each_event(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(), telemetry.invocation():
        telemetry.count("Deliveries", 3)
        telemetry.count("Deliveries", 2)
    (line,) = lines(capsys)
    assert line["Deliveries"] == [5.0]
    assert line["service"] == "demo-dev"
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "ws_lambda"
    assert {"Deliveries", "HandlerTime", "ColdStarts"} == {one["Name"] for one in described["Metrics"]}


def test_only_the_first_event_is_a_cold_start(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed():
        for _ in range(2):
            with telemetry.invocation():
                pass
    first, second = lines(capsys)
    assert first["ColdStarts"] == [1.0]
    assert "ColdStarts" not in second


def test_refusals_are_counted_together_and_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(), telemetry.invocation():
        telemetry.refused("token_refused")
    together, by_reason = lines(capsys)
    assert together["Refusals"] == by_reason["Refusals"] == [1.0]
    assert by_reason["reason"] == "token_refused"
    assert "reason" not in together


def test_metrics_are_written_when_the_handler_raises(capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(), pytest.raises(RuntimeError), telemetry.invocation():
        telemetry.count("Failures")
        raise RuntimeError
    assert lines(capsys)[0]["Failures"] == [1.0]


def test_elsewhere_nothing_is_written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    telemetry.start()
    with telemetry.invocation(connection_id="C1="):
        telemetry.count("Messages")
        telemetry.refused("token_refused")
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("ws_tables")
def test_not_even_at_debug_is_what_people_write_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    with override_settings(WS_LAMBDA={"HISTORY": {"*": (5, 60)}}), deployed():
        logging.getLogger("ws_lambda").debug("this is")
        ChannelMessage.append("general", {"message": "what-a-person-wrote"}, sender="ann")
    said = capsys.readouterr().out
    assert "this is" in said
    assert "what-a-person-wrote" not in said
