"""Creating the record of an existing API. docs/contract.md 34."""

from collections.abc import Callable

import pytest
from django.test import override_settings

from tests.flows.provisioning.conftest import CERTIFICATE
from tests.flows.provisioning.seen import alias, apis, integrations, routes
from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.models import gateways
from ws_lambda.provisioning import adopt, create, sync, update
from ws_lambda.tables.gateways import ApiGateway

Before = Callable[[str, Callable[..., None]], None]


@pytest.fixture
def zappas(function: str) -> str:
    """An API as `zappa deploy` makes it: three routes, one integration, an auto-deployed stage."""
    gateway = aws.client("apigatewayv2")
    api_id = gateway.create_api(
        Name="chat-websocket-dev",
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.action",
        Tags={"aws:cloudformation:stack-name": "chat-dev"},
    )["ApiId"]
    integration = gateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{function}/invocations",
    )["IntegrationId"]
    for key in ("$connect", "$disconnect", "$default"):
        gateway.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api_id, StageName="dev", AutoDeploy=True)
    return str(api_id)


def test_a_zappa_api_is_adopted_and_gains_a_route(zappas: str, function: str) -> None:
    record = adopt.adopt("live", zappas)
    assert (record.status, record.adopted, record.stage_name) == ("deployed", True, "dev")
    assert record.lambda_function_arn == function
    assert record.additional_routes == []
    assert sync.differences(record) == []
    assert gateways.find(zappas) is not None

    update.add_route("live", name="Chat", route_key="chat")
    assert "chat" in routes(zappas)
    assert aws.client("apigatewayv2").get_deployments(ApiId=zappas)["Items"] == []
    assert apis()[0]["Tags"] == {"aws:cloudformation:stack-name": "chat-dev"}


def test_settings_of_a_stage_that_no_record_holds_stay(zappas: str) -> None:
    """The alarms on `$connect` live on metrics by route, and the log's format is the deployment's own."""
    gateway = aws.client("apigatewayv2")
    log = {"DestinationArn": "arn:aws:logs:eu-west-1:123456789012:log-group:x", "Format": "$context.requestId"}
    limits = {"ThrottlingRateLimit": 100.0, "ThrottlingBurstLimit": 50}
    asked = {"DefaultRouteSettings": {"DetailedMetricsEnabled": True, **limits}, "AccessLogSettings": log}
    gateway.update_stage(ApiId=zappas, StageName="dev", **asked)
    record = adopt.adopt("live", zappas)
    record.throttling_rate = record.throttling_burst = None
    update.save(record)
    stage = gateway.get_stage(ApiId=zappas, StageName="dev")
    assert stage["DefaultRouteSettings"] == {"DetailedMetricsEnabled": True}
    assert stage["AccessLogSettings"] == log


def test_an_adopted_api_is_not_deleted_with_its_record(zappas: str, zone: str) -> None:
    record = adopt.adopt("live", zappas)
    record.domain_name, record.certificate_arn, record.hosted_zone_id = "ws.example.com", CERTIFICATE, zone
    update.save(record)
    create.create_domain("live")
    assert len(alias(zone)) == 1
    update.delete("live")
    assert ApiGateway.count() == 0
    assert [api["ApiId"] for api in apis()] == [zappas]
    assert aws.client("apigatewayv2").get_domain_names()["Items"] == []
    assert alias(zone) == []


def test_a_route_that_is_added_leads_nowhere_that_the_stack_has_to_delete(zappas: str, function: str) -> None:
    """CloudFormation cannot delete an integration that a route of other hands leads to."""
    theirs = routes(zappas)
    adopt.adopt("live", zappas)
    record = update.add_route("live", name="Chat", route_key="chat")
    made = routes(zappas)
    assert {key: made[key]["Target"] for key in theirs} == {key: route["Target"] for key, route in theirs.items()}
    assert made["chat"]["Target"] not in {route["Target"] for route in theirs.values()}
    assert sync.differences(record) == []
    update.remove_route("live", "chat")
    assert {f"integrations/{one}" for one in integrations(zappas)} == {route["Target"] for route in theirs.values()}


def test_an_api_is_adopted_once(zappas: str) -> None:
    adopt.adopt("live", zappas)
    with pytest.raises(ProvisioningError, match="already registered"):
        adopt.adopt("again", zappas)
    with pytest.raises(ProvisioningError, match="named 'live' already exists"):
        adopt.adopt("live", zappas)


@override_settings(WS_LAMBDA={"GATEWAY_SECRET": "s"}, ALLOWED_HOSTS=["www.example.com"])
def test_an_http_api_of_other_hands_is_adopted_with_its_routes() -> None:
    gateway = aws.client("apigatewayv2")
    api_id = gateway.create_api(Name="x", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")[
        "ApiId"
    ]
    for key, slug in {
        "$connect": "connect",
        "$disconnect": "disconnect",
        "$default": "default",
        "b": "b",
    }.items():
        made = gateway.create_integration(
            ApiId=api_id, IntegrationType="HTTP_PROXY", IntegrationUri=f"https://www.example.com/ws/{slug}"
        )
        gateway.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{made['IntegrationId']}")
    gateway.create_stage(ApiId=api_id, StageName="production")
    record = adopt.adopt("x", api_id)
    assert record.target_base_endpoint == "https://www.example.com/ws/"
    assert [(one.route_key, one.target) for one in record.additional_routes] == [("b", "https://www.example.com/ws/b")]
    sync.to_aws("x")
    assert sync.differences(ApiGateway.get("x")) == []


def test_an_api_that_cannot_be_adopted_says_why() -> None:
    gateway = aws.client("apigatewayv2")
    http = gateway.create_api(Name="h", ProtocolType="HTTP")["ApiId"]
    bare = gateway.create_api(Name="w", ProtocolType="WEBSOCKET", RouteSelectionExpression="x")["ApiId"]
    with pytest.raises(ProvisioningError, match="API 'nothing' does not exist"):
        adopt.adopt("a", "nothing")
    with pytest.raises(ProvisioningError, match="an HTTP API"):
        adopt.adopt("a", http)
    with pytest.raises(ProvisioningError, match="Name the stage"):
        adopt.adopt("a", bare)
    gateway.create_stage(ApiId=bare, StageName="one")
    with pytest.raises(ProvisioningError, match=r"no stage 'two'\. It has one"):
        adopt.adopt("a", bare, stage="two")
    with pytest.raises(ProvisioningError, match="leads neither to a Lambda function nor"):
        adopt.adopt("a", bare)
    assert ApiGateway.count() == 0
