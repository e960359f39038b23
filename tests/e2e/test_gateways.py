"""Provisioning against an independent AWS emulator: real boto3, a real socket, real WebSocket clients."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ReadTimeoutError
from websockets.sync.client import connect

from tests import ministack
from tests.provisioned import make_function
from ws_lambda import aws
from ws_lambda.exceptions import ProvisioningError
from ws_lambda.models import gateways
from ws_lambda.provisioning import adopt, create, lease, sync, update
from ws_lambda.tables import shared_connection
from ws_lambda.tables.gateways import ApiGateway, Status

ECHO = """
import json

def handler(event, context):
    route = event["requestContext"]["routeKey"]
    return {"statusCode": 200, "body": json.dumps({"route": route})}
"""
"""A function that answers with the route of its event."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack.running(tmp_path_factory.mktemp("ministack")) as url, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_REGION", "eu-west-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        aws.forget()
        shared_connection.forget_connection()
        ApiGateway.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        yield url
    aws.forget()
    shared_connection.forget_connection()
    gateways.forget()


@pytest.fixture(scope="module")
def function(endpoint: str) -> str:
    return make_function(endpoint, ECHO, region_name="eu-west-1")


@pytest.fixture(autouse=True)
def clean(endpoint: str) -> Iterator[None]:
    yield
    for record in ApiGateway.scan():
        update.delete(record.api_name, keep_aws=record.adopted)
    for api in aws.client("apigatewayv2").get_apis()["Items"]:
        aws.client("apigatewayv2").delete_api(ApiId=api["ApiId"])


def told(endpoint: str, record: ApiGateway, *messages: dict[str, Any]) -> list[str]:
    """Returns the routes that the messages of one client took."""
    host = urlsplit(endpoint).netloc
    with connect(f"ws://{host}/_aws/execute-api/{record.api_id}/{record.stage_name}", open_timeout=120) as socket:
        routes = []
        for message in messages:
            socket.send(json.dumps(message))
            routes.append(json.loads(socket.recv(120))["route"])
        return routes


def test_a_gateway_is_made_and_used(endpoint: str, function: str) -> None:
    ApiGateway(
        api_name="chat",
        api_description="Rooms",
        lambda_function_arn=function,
        throttling_rate=50,
        throttling_burst=100,
        tags={"team": "web"},
    ).save()
    record = create.create("chat")
    assert record.status == Status.DEPLOYED
    assert sync.differences(record) == []
    assert record.websocket_url.startswith("ws")
    assert told(endpoint, record, {"action": "chat"}, {"other": 1}) == ["$default", "$default"]

    record = update.add_route("chat", name="Chat", route_key="chat")
    assert told(endpoint, record, {"action": "chat"}, {"action": "unknown"}) == ["chat", "$default"]
    record = update.remove_route("chat", "chat")
    assert told(endpoint, record, {"action": "chat"}) == ["$default"]


def save_named(function: str) -> str:
    """Stores the record of a gateway with a domain; returns the id of the hosted zone that is to get its alias."""
    zone = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference=uuid.uuid4().hex)
    zone_id = str(zone["HostedZone"]["Id"]).rpartition("/")[2]
    ApiGateway(
        api_name="chat",
        lambda_function_arn=function,
        domain_name="ws.example.com",
        certificate_arn="arn:aws:acm:eu-west-1:000000000000:certificate/1-2",
        hosted_zone_id=zone_id,
    ).save()
    return zone_id


@pytest.fixture
def fail_at() -> Iterator[Callable[[str], None]]:
    """Makes boto3 give up on one operation, once ministack has done it: the answer is lost. "" ends that."""
    lost = ""

    def choose(operation: str) -> None:
        nonlocal lost
        lost = operation

    def lose(model: Any, **_kwargs: Any) -> None:
        if model.name == lost:
            raise ReadTimeoutError(endpoint_url="")

    clients = [aws.client(service) for service in ("apigatewayv2", "lambda", "route53")]
    for client in clients:
        client.meta.events.register("after-call", lose)
    yield choose
    for client in clients:
        client.meta.events.unregister("after-call", lose)


STEPS = ("CreateApi", "CreateIntegration", "CreateRoute", "CreateRouteResponse", "AddPermission")
LATER_STEPS = ("CreateDeployment", "CreateStage", "CreateDomainName", "CreateApiMapping", "ChangeResourceRecordSets")


def test_an_answer_that_is_lost_at_any_step_is_made_up_for(
    endpoint: str, function: str, fail_at: Callable[[str], None]
) -> None:
    save_named(function)
    for operation in (*STEPS, *LATER_STEPS):
        fail_at(operation)
        with pytest.raises(ProvisioningError, match="Read timeout"):
            create.create("chat")
            create.create_domain("chat")
        assert "Read timeout" in ApiGateway.get("chat").last_error
    fail_at("")
    create.create("chat")
    record = create.create_domain("chat")
    assert (record.status, record.last_error) == (Status.MAPPED, "")
    assert sync.differences(record) == []
    gateway = aws.client("apigatewayv2")
    assert [one["ApiId"] for one in gateway.get_apis()["Items"]] == [record.api_id]
    assert len(gateway.get_routes(ApiId=record.api_id)["Items"]) == 3
    assert len(gateway.get_integrations(ApiId=record.api_id)["Items"]) == 1
    assert len(gateway.get_api_mappings(DomainName="ws.example.com")["Items"]) == 1
    assert told(endpoint, record, {"action": "chat"}) == ["$default"]


def test_of_two_processes_one_makes_the_gateway(endpoint: str, function: str) -> None:
    ApiGateway(api_name="chat", lambda_function_arn=function).save()
    command = [sys.executable, "-m", "django", "ws_gateway", "create", "chat", "--json"]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in "ab"]
    said = [(process.communicate(timeout=300), process.returncode) for process in both]
    [api] = aws.client("apigatewayv2").get_apis()["Items"]
    codes = sorted(code for _output, code in said)
    assert codes in ([0, 0], [0, 3]), said  # the second one came too late to be in the way, or was told
    for (output, errors), code in said:
        if code:
            assert "Another process is working on gateway 'chat'" in errors
        else:
            assert json.loads(output)["api_id"] == api["ApiId"]
    assert told(endpoint, lease.load("chat"), {"action": "chat"}) == ["$default"]


def test_another_function_answers_from_then_on(endpoint: str, function: str) -> None:
    other = make_function(
        endpoint, ECHO.replace('"route": route', '"route": "other"'), name="other", region_name="eu-west-1"
    )
    ApiGateway(api_name="chat", lambda_function_arn=function).save()
    record = create.create("chat")
    record.lambda_function_arn = other
    record = update.save(record)
    assert told(endpoint, record, {"action": "chat"}) == ["other"]
    assert sync.differences(record) == []
    assert len(aws.client("apigatewayv2").get_integrations(ApiId=record.api_id)["Items"]) == 1


def test_every_change_is_seen_and_pushed(endpoint: str, function: str) -> None:
    ApiGateway(api_name="chat", lambda_function_arn=function, tags={"a": "1", "b": "2"}).save()
    record = create.create("chat")
    record.api_description = "New words"
    record.tags = {"a": "1", "c": "3"}
    record.throttling_rate, record.throttling_burst = 5, 10
    record.stage_description = "Live"
    lease.save(record)
    assert [one.name for one in sync.to_aws("chat")] == [
        "api.description",
        "stage.description",
        "stage.throttling_burst",
        "stage.throttling_rate",
        "tags.b",
        "tags.c",
    ]
    assert sync.differences(ApiGateway.get("chat")) == []

    aws.client("apigatewayv2").update_api(ApiId=record.api_id, Description="From the console")
    taken, left = sync.from_aws("chat")
    assert ([one.name for one in taken], left) == (["api.description"], [])
    assert ApiGateway.get("chat").api_description == "From the console"


def test_a_domain_is_made_and_deleted_with_its_gateway(endpoint: str, function: str) -> None:
    zone = save_named(function)
    create.create("chat")
    record = create.create_domain("chat")
    assert (record.status, record.websocket_url) == (Status.MAPPED, "wss://ws.example.com")
    assert sync.differences(record) == []
    listed = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert record.api_gateway_domain_name in [
        one["AliasTarget"]["DNSName"].rstrip(".") for one in listed if one["Type"] == "A"
    ]
    update.delete("chat")
    assert aws.client("apigatewayv2").get_domain_names()["Items"] == []
    assert aws.client("apigatewayv2").get_apis()["Items"] == []


def test_an_adopted_zappa_api_gains_a_route_that_a_client_uses(endpoint: str, function: str) -> None:
    """The API is made as `zappa deploy` makes it: by CloudFormation, three routes, an auto-deployed stage."""
    gateway = aws.client("apigatewayv2")
    aws.client("cloudformation").create_stack(StackName="chat-dev-websocket", TemplateBody=json.dumps(zappas(function)))
    [api] = [one for one in gateway.get_apis()["Items"] if one["Name"] == "chat-dev-websocket"]

    record = adopt.adopt("live", api["ApiId"])
    assert (record.status, record.stage_name, record.lambda_function_arn) == ("deployed", "dev", function)
    assert sync.differences(record) == []
    assert told(endpoint, record, {"action": "history"}) == ["$default"]

    record = update.add_route("live", name="History", route_key="history", target="/ws/history/")
    assert told(endpoint, record, {"action": "history"}, {"action": "other"}) == ["history", "$default"]
    assert gateways.find(api["ApiId"]) is not None
    assert record.route_paths == {"history": "/ws/history/"}


def zappas(function: str) -> dict[str, Any]:
    """The template of Zappa 0.63's WebSocket API."""
    uri = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{function}/invocations"
    resources: dict[str, Any] = {
        "WebSocketApi": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "chat-dev-websocket",
                "ProtocolType": "WEBSOCKET",
                "RouteSelectionExpression": "$request.body.action",
            },
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {"ApiId": {"Ref": "WebSocketApi"}, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri},
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": "WebSocketApi"}, "StageName": "dev", "AutoDeploy": True},
        },
    }
    for key in ("connect", "disconnect", "default"):
        resources[f"Route{key}"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "WebSocketApi"},
                "RouteKey": f"${key}",
                "Target": {"Fn::Sub": "integrations/${Integration}"},
            },
        }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
