"""The completed CloudFormation template, made by Zappa itself and checked by cfn-lint."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import troposphere
from zappa.core import Zappa

from ws_lambda.provisioning.zappa.websocket_block import WebSocketBlock
from ws_lambda.provisioning.zappa.websocket_template import complete, logical_id, response_id

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:demo-dev"
DOMAIN = {
    "name": "ws.example.com",
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
    "hosted_zone_id": "Z0123456789",
}

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes the template of a block: resources by logical id."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    def made(block: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        zappa = Zappa(load_credentials=False)
        zappa.cf_template = troposphere.Template()
        zappa.create_websocket_api(FUNCTION, api_name="demo-dev", stage_name="dev")
        complete(zappa.cf_template, WebSocketBlock.read(block), name="demo-dev", **kwargs)
        return dict(json.loads(zappa.cf_template.to_json()))

    return made


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == f"AWS::ApiGatewayV2::{kind}"
    }


def test_routes_and_their_responses(make: Make) -> None:
    template = make({"routes": ["chat", "a.b", "ab"]})
    keys = {one["RouteKey"] for one in of_type(template, "Route").values()}
    assert keys == {"$connect", "$disconnect", "$default", "chat", "a.b", "ab"}
    answering = {one["RouteId"]["Ref"] for one in of_type(template, "RouteResponse").values()}
    assert answering == {"WsDefaultRoute", logical_id("chat"), logical_id("a.b"), logical_id("ab")}
    assert all(
        one.get("RouteResponseSelectionExpression") == ("$default" if name in answering else None)
        for name, one in of_type(template, "Route").items()
    )


def test_route_keys_that_look_alike_are_routes_of_their_own(make: Make) -> None:
    keys = {"chat", "Chat", "chatResponse", "chat_Message", "chatMessage", "_" * 128}
    template = make({"routes": sorted(keys)})
    assert {one["RouteKey"] for one in of_type(template, "Route").values()} > keys
    assert len(of_type(template, "RouteResponse")) == len(keys) + 1
    assert all(name.isalnum() and len(name) <= 255 for name in template["Resources"])


def test_the_stage_has_limits_a_log_and_variables(make: Make) -> None:
    template = make(
        {
            "throttling": {"rate": 100, "burst": 50},
            "route_throttling": {"$connect": {"rate": 5}},
            "stage_variables": {"colour": "blue"},
        }
    )
    (stage,) = of_type(template, "Stage").values()
    assert stage["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": True,
        "ThrottlingRateLimit": 100,
        "ThrottlingBurstLimit": 50,
    }
    assert stage["RouteSettings"]["$connect"]["ThrottlingRateLimit"] == 5
    assert stage["RouteSettings"]["$connect"]["ThrottlingBurstLimit"] == 50
    assert stage["StageVariables"] == {"colour": "blue"}
    assert template["Resources"]["WsAccessLog"]["Properties"]["RetentionInDays"] == 30
    assert stage["AccessLogSettings"]["DestinationArn"]["Fn::Join"][1][-1] == {"Ref": "WsAccessLog"}


def test_no_log_when_none_is_wanted_and_no_group_for_one_that_exists(make: Make) -> None:
    assert "AccessLogSettings" not in of_type(make({"access_log": False}), "Stage")["WsStage"]
    elsewhere = make({"access_log": {"destination_arn": "arn:aws:logs:eu-west-1:123456789012:log-group:mine"}})
    assert "WsAccessLog" not in elsewhere["Resources"]


def test_a_domain_is_mapped_and_named_in_dns(make: Make) -> None:
    template = make({"domain": {**DOMAIN, "mapping": "chat"}})
    assert of_type(template, "ApiMapping")["WsMapping"]["ApiMappingKey"] == "chat"
    assert template["Resources"]["WsDomainRecord"]["Properties"]["HostedZoneId"] == "Z0123456789"
    assert template["Outputs"]["WebSocketDomainUrl"]["Value"] == "wss://ws.example.com/chat"


def test_an_adopted_api_is_not_made_and_its_own_routes_stay_its_own(make: Make) -> None:
    foreign = {"$connect": {"RouteId": "abc"}, "$default": {"RouteId": "def"}}
    template = make({"adopt": "a1b2c3", "routes": ["chat"]}, foreign_routes=foreign, foreign_stage=True)
    assert not of_type(template, "Api")
    assert not of_type(template, "Stage")
    routes = of_type(template, "Route")
    assert {one["RouteKey"] for one in routes.values()} == {"$disconnect", "chat"}
    assert {one["ApiId"] for one in routes.values()} == {"a1b2c3"}
    assert of_type(template, "RouteResponse")["WsResponseOfDefaultRoute"]["RouteId"] == "def"
    assert "a1b2c3" in template["Resources"]["WsInvokePermission"]["Properties"]["SourceArn"]["Fn::Join"][1]
    assert "WsApi" not in json.dumps(template["Resources"])


def test_an_update_keeps_the_response_that_it_made_for_an_adopted_route(make: Make) -> None:
    theirs = {"RouteId": "abc", "RouteResponseSelectionExpression": "$default"}
    block, foreign = {"adopt": "a1b2c3"}, {"$default": theirs}
    assert not of_type(make(block, foreign_routes=foreign), "RouteResponse"), "the route has one of its own"
    kept = make(block, foreign_routes=foreign, present=[response_id("$default")])
    assert of_type(kept, "RouteResponse")[response_id("$default")]["RouteId"] == "abc"


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"routes": ["chat", "a.b", "ab"], "throttling": {"rate": 9, "burst": 9}, "domain": DOMAIN, "tags": {"a": "b"}},
        {"adopt": "a1b2c3", "route_throttling": {"$connect": {"rate": 5, "burst": 5}}},
    ],
)
def test_cfn_lint_has_nothing_to_say(make: Make, block: dict[str, Any], tmp_path: Path) -> None:
    from cfnlint import api

    path = tmp_path / "template.json"
    path.write_text(json.dumps(make(block)))
    assert [str(one) for one in api.lint_file(path)] == []
