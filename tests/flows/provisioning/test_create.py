"""Creating a gateway: at once, interrupted, resumed, and by several processes. docs/contract.md 31, 32."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.core.exceptions import ValidationError
from django.test import override_settings

from tests.flows.provisioning.seen import apis, integrations, routes
from ws_lambda import aws, clock
from ws_lambda.conf import conf
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning import create, lease, sync
from ws_lambda.provisioning.lease import GatewayBusyError, LeaseLostError
from ws_lambda.tables.gateways import AdditionalRoute, ApiGateway, Status

Before = Callable[[str, Callable[..., None]], None]


def test_a_lambda_gateway_is_made_whole(chat: ApiGateway) -> None:
    seen: list[tuple[str, str]] = []
    record = create.create("chat", lambda step, progress: seen.append((step.label, progress)))

    assert record.status == Status.DEPLOYED
    assert seen == [
        (label, progress)
        for label in ("WebSocket API", "Routes and integrations", "Deployment and stage")
        for progress in ("started", "done")
    ]
    assert record.lease_owner is None
    [api] = apis()
    assert (api["Name"], api["ProtocolType"], api["Description"]) == ("chat", "WEBSOCKET", "Rooms")
    assert api["RouteSelectionExpression"] == "$request.body.action"
    assert api["Tags"] == {"team": "web", "ws-lambda:gateway": f"{conf.TABLE_PREFIX}chat"}
    assert record.api_id == api["ApiId"]

    made = routes(api["ApiId"])
    assert set(made) == {"$connect", "$disconnect", "$default", "history"}
    [integration] = integrations(api["ApiId"]).values()
    assert integration["IntegrationType"] == "AWS_PROXY"
    assert integration["IntegrationUri"] == (
        f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{chat.lambda_function_arn}/invocations"
    )
    answering = {
        key
        for key, route in made.items()
        if aws.client("apigatewayv2").get_route_responses(ApiId=api["ApiId"], RouteId=route["RouteId"])["Items"]
    }
    assert answering == {"$default", "history"}

    stage = aws.client("apigatewayv2").get_stage(ApiId=api["ApiId"], StageName="production")
    assert stage["DeploymentId"] == record.deployment_id
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
    assert stage["AccessLogSettings"]["DestinationArn"].endswith(":log-group:chat")
    policy = aws.client("lambda").get_policy(FunctionName="chat")["Policy"]
    assert f"arn:aws:execute-api:eu-west-1:123456789012:{api['ApiId']}/*" in policy


@override_settings(WS_LAMBDA={"GATEWAY_SECRET": ["s3cret", "older"]}, ALLOWED_HOSTS=["www.example.com"])
def test_an_http_gateway_maps_what_django_needs_to_know() -> None:
    ApiGateway(
        api_name="chat",
        integration="http",
        target_base_endpoint="https://www.example.com/ws/",
        additional_routes=[
            AdditionalRoute(name="Notes", route_key="notes", target="https://www.example.com/live/notes/"),
            AdditionalRoute(name="Plain", route_key="plain"),
        ],
    ).save()
    record = create.create("chat")

    assert record.api_id
    by_id = integrations(record.api_id)
    leads = {key: by_id[route["Target"].removeprefix("integrations/")] for key, route in routes(record.api_id).items()}
    assert {key: lead["IntegrationUri"] for key, lead in leads.items()} == {
        "$connect": "https://www.example.com/ws/connect",
        "$disconnect": "https://www.example.com/ws/disconnect",
        "$default": "https://www.example.com/ws/default",
        "notes": "https://www.example.com/live/notes/",
        "plain": "https://www.example.com/ws/plain",
    }
    for lead in leads.values():
        assert lead["IntegrationType"] == "HTTP_PROXY"
        mapped = lead["RequestParameters"]
        assert mapped["integration.request.header.connectionId"] == "context.connectionId"
        assert mapped["integration.request.header.X-Ws-Source-Ip"] == "context.identity.sourceIp"
        assert mapped["integration.request.header.X-Ws-Gateway-Secret"] == "'s3cret'"


@override_settings(WS_LAMBDA={"GATEWAY_SECRET": "s3cret"}, ALLOWED_HOSTS=["www.example.com"])
def test_a_refusal_that_repeats_the_secret_is_told_without_it(before_call: Before) -> None:
    def refuse(params: dict[str, Any], **_kwargs: object) -> None:
        said = f"Invalid mapping expression specified: {params['body']!r}"
        raise ClientError({"Error": {"Code": "BadRequestException", "Message": said}}, "CreateIntegration")

    before_call("apigatewayv2.CreateIntegration", refuse)
    ApiGateway(api_name="chat", integration="http", target_base_endpoint="https://www.example.com/ws/").save()
    with pytest.raises(ProvisioningError, match="Invalid mapping expression") as error:
        create.create("chat")
    assert ApiGateway.get("chat").last_error == str(error.value)
    assert "…" in str(error.value)
    assert "s3cret" not in str(error.value)


STEPS = [
    ("CreateApi", "creating"),
    ("CreateIntegration", "api_created"),
    ("CreateRoute", "api_created"),
    ("CreateRouteResponse", "api_created"),
    ("AddPermission", "api_created"),
    ("CreateDeployment", "routes_created"),
    ("CreateStage", "routes_created"),
]


@pytest.mark.parametrize(("operation", "status"), STEPS)
def test_creation_resumes_where_it_failed(chat: ApiGateway, fail_at: Any, operation: str, status: str) -> None:
    fail_at.add(operation)
    with pytest.raises(ProvisioningError, match="Slow down"):
        create.create("chat")
    stored = ApiGateway.get("chat")
    assert stored.status == status
    assert "Slow down" in stored.last_error
    assert stored.lease_owner is None

    fail_at.clear()
    record = create.create("chat")
    assert (record.status, record.last_error) == ("deployed", "")
    assert len(apis()) == 1
    assert record.api_id
    assert len(routes(record.api_id)) == 4
    assert len(integrations(record.api_id)) == 1


@pytest.mark.parametrize("operation", [operation for operation, _status in STEPS])
def test_a_resource_whose_answer_was_lost_is_not_created_twice(chat: ApiGateway, fail_at: Any, operation: str) -> None:
    fail_at.lose(operation)
    with pytest.raises(ProvisioningError, match="Read timeout"):
        create.create("chat")
    fail_at.clear()
    record = create.create("chat")
    assert (record.status, record.last_error) == ("deployed", "")
    [api] = apis()
    assert len(routes(api["ApiId"])) == 4
    assert len(integrations(api["ApiId"])) == 1
    assert [one["StageName"] for one in aws.client("apigatewayv2").get_stages(ApiId=api["ApiId"])["Items"]] == [
        "production"
    ]
    policy = json.loads(aws.client("lambda").get_policy(FunctionName="chat")["Policy"])
    assert {statement["Sid"] for statement in policy["Statement"]} == {f"ws-lambda-{api['ApiId']}"}
    assert sync.differences(record) == []


def test_an_api_whose_id_was_never_stored_is_found_again(chat: ApiGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lease.Lease, "store", die)
        with pytest.raises(KeyboardInterrupt):
            create.create("chat")
    [lost] = apis()
    assert ApiGateway.get("chat").api_id is None

    assert create.create("chat").api_id == lost["ApiId"]
    assert len(apis()) == 1


def test_an_unreachable_aws_is_told_in_the_record(chat: ApiGateway, before_call: Before) -> None:
    def unreachable(**_kwargs: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://apigateway.eu-west-1.amazonaws.com")

    before_call("apigatewayv2", unreachable)
    with pytest.raises(ProvisioningError, match="Could not connect"):
        create.create("chat")
    assert "Could not connect" in ApiGateway.get("chat").last_error


def test_creating_again_says_that_all_is_there(chat: ApiGateway) -> None:
    create.create("chat")
    seen: list[str] = []
    create.create("chat", lambda _step, progress: seen.append(progress))
    assert seen == ["skipped"] * 3


def test_of_two_at_once_one_wins_and_the_other_is_told(chat: ApiGateway, before_call: Before) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def wait(**_kwargs: object) -> None:
        inside.set()
        assert go_on.wait(60)

    before_call("apigatewayv2.CreateApi", wait)
    winner = threading.Thread(target=create.create, args=("chat",))
    winner.start()
    assert inside.wait(60)
    try:
        with pytest.raises(GatewayBusyError, match="Another process is working"):
            create.create("chat")
    finally:
        go_on.set()
        winner.join()
    assert len(apis()) == 1
    assert ApiGateway.get("chat").status == Status.DEPLOYED


def test_many_at_once_make_one_api(chat: ApiGateway) -> None:
    together = threading.Barrier(6)
    outcomes: list[str] = []

    def race() -> None:
        together.wait()
        try:
            outcomes.append(create.create("chat").status)
        except GatewayBusyError:
            outcomes.append("busy")

    racers = [threading.Thread(target=race) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(apis()) == 1
    assert "deployed" in outcomes
    assert set(outcomes) <= {"deployed", "busy"}


def test_the_lease_of_a_dead_creator_runs_out(chat: ApiGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    lease._take(lease.load("chat"))
    with pytest.raises(GatewayBusyError):
        create.create("chat")
    later = clock.now() + lease.LEASE_SECONDS + 1
    monkeypatch.setattr(clock, "now", lambda: later)
    assert create.create("chat").status == Status.DEPLOYED


def test_a_creator_that_overslept_removes_its_second_api(
    chat: ApiGateway, before_call: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has asked for an API, is frozen, and wakes when another process has made and stored its own."""
    overslept: list[bool] = []

    def oversleep(**_kwargs: object) -> None:
        if overslept:
            return
        overslept.append(True)
        later = clock.now() + lease.LEASE_SECONDS + 1
        monkeypatch.setattr(clock, "now", lambda: later)
        create.create("chat")

    before_call("apigatewayv2.CreateApi", oversleep)
    with pytest.raises(LeaseLostError):
        create.create("chat")
    [api] = apis()
    stored = ApiGateway.get("chat")
    assert (stored.api_id, stored.status) == (api["ApiId"], "deployed")


def test_a_form_saved_during_creation_is_refused_not_lost(chat: ApiGateway) -> None:
    form = ApiGateway.get("chat")
    create.create("chat")
    form.api_description = "edited meanwhile"
    with pytest.raises(ProvisioningError, match="Someone else has changed"):
        lease.save(form)
    assert ApiGateway.get("chat").status == Status.DEPLOYED


def test_what_aws_would_refuse_is_refused_first(chat: ApiGateway) -> None:
    chat.route_selection_expression = "$request.header.action"
    chat.save()
    with pytest.raises(ValidationError):
        create.create("chat")
    assert apis() == []


def test_an_unknown_gateway_is_an_error_that_names_it() -> None:
    with pytest.raises(ProvisioningError, match="'nowhere'"):
        create.create("nowhere")
