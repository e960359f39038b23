"""Record and AWS are made equal, in either direction. docs/contract.md 34."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings

from tests.flows.provisioning.conftest import make_function
from tests.flows.provisioning.seen import apis, integrations, routes
from ws_lambda import aws
from ws_lambda.conf import conf
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import create, lease, sync, update
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway

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
    assert api["Tags"] == {"owner": "ops", "ws-lambda:gateway": f"{conf.TABLE_PREFIX}chat"}
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
    aws.client("apigatewayv2").update_api(ApiId=record.api_id, Description="From the console")
    taken, left = sync.from_aws("chat")
    assert ([one.name for one in taken], [one.name for one in left]) == (["api.description"], ["route.$connect"])
    sync.to_aws("chat")
    assert "$connect" in routes(record.api_id)


def places(record: ApiGateway) -> dict[str, str]:
    """Where each route leads, below the host."""
    assert record.api_id
    by_id = integrations(record.api_id)
    return {
        key: by_id[route["Target"].removeprefix("integrations/")]["IntegrationUri"].partition(".example.com")[2]
        for key, route in routes(record.api_id).items()
        if not key.startswith("$")
    }


@override_settings(WS_LAMBDA={"GATEWAY_SECRET": "s"}, ALLOWED_HOSTS=["www.example.com"])
def test_routes_that_shared_a_target_part_and_swap() -> None:
    def lead(**targets: str) -> ApiGateway:
        record = lease.load("chat")
        record.additional_routes = [AdditionalRoute(name=k, route_key=k, target=t) for k, t in targets.items()]
        return update.save(record)

    ApiGateway(api_name="chat", integration="http", target_base_endpoint="https://www.example.com/ws/").save()
    create.create("chat")
    for targets in (
        {"a": "/x/", "b": "/x/"},
        {"a": "/x/", "b": "/y/"},
        {"a": "/y/", "b": "/x/"},
        {"a": "/y/", "b": "/y/"},
    ):
        record = lead(**targets)
        assert places(record) == targets
        assert sync.differences(record) == []
    assert record.api_id
    assert len(integrations(record.api_id)) == 4


@override_settings(WS_LAMBDA={"GATEWAY_SECRET": "s"}, ALLOWED_HOSTS=["www.example.com"])
def test_an_endpoint_that_moved_in_aws_is_taken_over() -> None:
    ApiGateway(
        api_name="chat",
        integration="http",
        target_base_endpoint="https://www.example.com/ws/",
        additional_routes=[AdditionalRoute(name="Plain", route_key="plain")],
    ).save()
    record = create.create("chat")
    for one in integrations(record.api_id or "").values():
        aws.client("apigatewayv2").update_integration(
            ApiId=record.api_id,
            IntegrationId=one["IntegrationId"],
            IntegrationUri=one["IntegrationUri"].replace("/ws/", "/live/"),
        )
    taken, left = sync.from_aws("chat")
    assert ({one.area for one in taken}, left) == ({"route"}, [])
    record = ApiGateway.get("chat")
    assert record.target_base_endpoint == "https://www.example.com/live/"
    assert [(one.route_key, one.target) for one in record.additional_routes] == [("plain", "")]
    assert sync.differences(record) == []


@pytest.mark.parametrize("change", [{"stage_name": "live"}, {"route_key": "other"}, {"integration": "http"}])
@override_settings(WS_LAMBDA={"GATEWAY_SECRET": "s"}, ALLOWED_HOSTS=["www.example.com"])
def test_identifiers_of_aws_do_not_change(chat: ApiGateway, change: dict[str, str]) -> None:
    record = create.create("chat")
    record.target_base_endpoint = "https://www.example.com/ws/"
    for name, value in change.items():
        setattr(record, name, value)
    with pytest.raises(ValidationError) as error:
        update.save(record)
    assert list(error.value.message_dict) == list(change)
    assert [one["StageName"] for one in aws.client("apigatewayv2").get_stages(ApiId=record.api_id)["Items"]] == [
        "production"
    ]


def test_a_function_that_may_not_be_invoked_gets_no_route(chat: ApiGateway) -> None:
    record = create.create("chat")
    there = routes(record.api_id or "")["$default"]["Target"]
    record.lambda_function_arn = f"{record.lambda_function_arn}-gone"
    with pytest.raises(ProvisioningError, match="Function not found"):
        update.save(record)
    assert routes(record.api_id or "")["$default"]["Target"] == there
    assert integrations(record.api_id or "")[there.removeprefix("integrations/")]["IntegrationUri"].endswith(
        ":function:chat/invocations"
    )


def test_a_function_that_is_no_longer_called_may_not_be_called(chat: ApiGateway) -> None:
    record, client = create.create("chat"), aws.client("lambda")
    record.lambda_function_arn = make_function("other")
    record = update.save(record)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="chat")
    assert f'"ws-lambda-{record.api_id}"' in client.get_policy(FunctionName="other")["Policy"]
    assert sync.differences(record) == []


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


def test_syncing_a_gateway_that_is_not_deployed_is_refused(chat: ApiGateway) -> None:
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
    assert apis()[0]["Tags"] == {**note, "ws-lambda:gateway": f"{conf.TABLE_PREFIX}chat"}
