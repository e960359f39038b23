"""Record and AWS brought to agree, either way."""

from collections.abc import Callable

import pytest
from django.test import override_settings

from tests.flows.provisioning.seen import apis, integrations, routes
from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.models.gateways import AdditionalRoute, ApiGateway
from ws_lambda.provisioning import create, lease, sync

Before = Callable[[str, Callable[..., None]], None]


def edited(record: ApiGateway) -> None:
    record.api_description = "New words"
    record.tags = {"owner": "ops"}
    record.throttling_rate = record.throttling_burst = None
    record.access_log_arn = ""
    record.stage_description = "Live"
    record.route_selection_expression = "$request.body.kind"
    record.additional_routes = [AdditionalRoute(name="Typing", route_key="typing")]


def test_every_change_reaches_aws(chat: ApiGateway) -> None:
    record = create.create("chat")
    edited(record)
    lease.save(record)
    dry = sync.differences(ApiGateway.get("chat"))
    assert [one.name for one in dry] == [
        "api.description",
        "api.route_selection_expression",
        "route.history",
        "route.typing",
        "stage.access_log_arn",
        "stage.description",
        "stage.throttling_burst",
        "stage.throttling_rate",
        "tags.owner",
        "tags.team",
    ]
    assert sync.to_aws("chat") == dry
    assert sync.differences(ApiGateway.get("chat")) == []
    [api] = apis()
    assert api["Tags"] == {"owner": "ops", "ws-lambda:gateway": "ws_lambda_chat"}
    stage = aws.client("apigatewayv2").get_stage(ApiId=api["ApiId"], StageName="production")
    assert "AccessLogSettings" not in stage
    assert stage["DefaultRouteSettings"] == {}


def test_every_change_is_taken_over_from_aws(chat: ApiGateway) -> None:
    record = create.create("chat")
    gateway, api_id = aws.client("apigatewayv2"), record.api_id
    assert api_id
    gateway.update_api(ApiId=api_id, Description="From the console")
    gateway.tag_resource(ResourceArn=f"arn:aws:apigateway:eu-west-1::/apis/{api_id}", Tags={"team": "data", "new": "x"})
    made = routes(api_id)
    gateway.delete_route(ApiId=api_id, RouteId=made["history"]["RouteId"])
    gateway.create_route(ApiId=api_id, RouteKey="extra", Target=made["$default"]["Target"])
    gateway.update_stage(
        ApiId=api_id,
        StageName="production",
        DefaultRouteSettings={"ThrottlingRateLimit": 5.5, "ThrottlingBurstLimit": 7},
    )
    taken, left = sync.from_aws("chat")
    assert len(taken) == 7
    assert left == []
    record = ApiGateway.get("chat")
    assert record.api_description == "From the console"
    assert record.tags == {"team": "data", "new": "x"}
    assert [route.route_key for route in record.additional_routes] == ["extra"]
    assert (record.throttling_rate, record.throttling_burst) == (5.5, 7)
    assert sync.differences(record) == []


def test_a_route_of_our_own_that_is_gone_is_made_again(chat: ApiGateway) -> None:
    record = create.create("chat")
    assert record.api_id
    made = routes(record.api_id)
    aws.client("apigatewayv2").delete_route(ApiId=record.api_id, RouteId=made["$connect"]["RouteId"])
    with pytest.raises(ProvisioningError, match=r"nothing at \$connect"):
        sync.from_aws("chat")
    sync.to_aws("chat")
    assert "$connect" in routes(record.api_id)


@override_settings(ALLOWED_HOSTS=["www.example.com", "new.example.com"])
def test_a_new_endpoint_and_a_new_secret_reach_every_integration() -> None:
    with override_settings(WS_LAMBDA={"GATEWAY_SECRET": "old"}):
        ApiGateway(api_name="chat", integration="http", target_base_endpoint="https://www.example.com/ws/").save()
        record = create.create("chat")
    with override_settings(WS_LAMBDA={"GATEWAY_SECRET": "new"}):
        assert {one.name for one in sync.differences(record)} == {
            "headers.$connect",
            "headers.$default",
            "headers.$disconnect",
        }
        assert "new" not in repr(sync.differences(record))
        record.target_base_endpoint = "https://new.example.com/ws/"
        lease.save(record)
        sync.to_aws("chat")
        assert sync.differences(ApiGateway.get("chat")) == []
    assert record.api_id
    found = integrations(record.api_id).values()
    assert {one["IntegrationUri"].rpartition("/")[2] for one in found} == {"connect", "disconnect", "default"}
    for one in found:
        assert one["IntegrationUri"].startswith("https://new.example.com/ws/")
        assert one["RequestParameters"]["integration.request.header.X-Ws-Gateway-Secret"] == "'new'"


def test_syncing_what_is_not_deployed_is_refused(chat: ApiGateway) -> None:
    with pytest.raises(ProvisioningError, match="not deployed yet"):
        sync.to_aws("chat")


def test_an_api_that_is_gone_is_said_to_be_gone(chat: ApiGateway) -> None:
    record = create.create("chat")
    aws.client("apigatewayv2").delete_api(ApiId=record.api_id)
    with pytest.raises(ProvisioningError, match="does not exist in AWS"):
        sync.to_aws("chat")


def test_notes_that_a_deployment_keeps_in_tags_are_left_alone(chat: ApiGateway) -> None:
    record = create.create("chat")
    note = {"ws-lambda:was:abc": "integrations/xyz"}
    arn = f"arn:aws:apigateway:eu-west-1::/apis/{record.api_id}"
    aws.client("apigatewayv2").tag_resource(ResourceArn=arn, Tags=note)
    assert sync.differences(record) == []
    record.tags = {}
    lease.save(record)
    sync.to_aws("chat")
    assert apis()[0]["Tags"] == {**note, "ws-lambda:gateway": "ws_lambda_chat"}
