"""S16: an attack is seen and slowed down: throttling, an access log, a metric and an alarm on the deployed stage."""

import json

import pytest

from tests.policy import ROOT
from tests.unit.provisioning.zappa.test_websocket_template import make as make_template
from tests.unit.provisioning.zappa.test_websocket_template import of_type
from tests.unit.serverless_config.test_templates import resources
from tests.unit.test_telemetry import deployed, lines
from ws_lambda.testing import connect_event, invoke

STAGES = json.loads((ROOT / "zappa_settings.json").read_text())
QUOTA = 10_000
"""Requests per second of an account and region, shared with everything else in it."""

make = make_template


@pytest.mark.parametrize("name", STAGES)
def test_the_stage_throttles_connects_harder_than_messages_and_keeps_a_log(make, name):
    template = make(STAGES[name]["websocket_api"])
    (stage,) = of_type(template, "Stage").values()
    everything = stage["DefaultRouteSettings"]
    connects = stage["RouteSettings"]["$connect"]
    assert 0 < connects["ThrottlingRateLimit"] < everything["ThrottlingRateLimit"] < QUOTA
    assert connects["ThrottlingRateLimit"] <= 500, "the account's quota of new connections"
    assert everything["DetailedMetricsEnabled"], "the alarm counts by route"
    said = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"$context.identity.sourceIp", "$context.status", "$context.connectionId"} <= set(said.values())
    assert template["Resources"]["WsAccessLog"]["Properties"]["RetentionInDays"] >= 14


@pytest.mark.usefixtures("ws_tables", "still")
def test_a_flood_of_refused_connects_shows_in_logs_and_metrics(capsys):
    with deployed():
        for number in range(25):
            invoke(connect_event(f"X{number}=", token="0" * 64))
        said = lines(capsys)
    by_reason = [one["reason"] for one in said if "Refusals" in one and "reason" in one]
    assert (by_reason.count("TokenRefused"), by_reason.count("RateLimited")) == (20, 5)
    logged = [one for one in said if one.get("level") == "WARNING"]
    assert len(logged) == 25
    assert {one["source_ip"] for one in logged} == {"203.0.113.9"}


def test_and_raises_an_alarm():
    alarm = resources("alarms.yaml")["ConnectRefusals"]
    counted = [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]
    assert [one["MetricName"] for one in counted] == ["ConnectsRefused", "ClientError"]
    assert {"Name": "Route", "Value": "$connect"} in counted[1]["Dimensions"]
    assert alarm["AlarmActions"]
