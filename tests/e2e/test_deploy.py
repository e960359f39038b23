"""From `zappa deploy` to `zappa undeploy`, against an emulated AWS on loopback. One story, told in order."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection

from tests.e2e import cloud, rights, times
from tests.e2e.deployment import STAGE, Browser, Deployment
from tests.e2e.talking import (
    a_token_opens_one_connection,
    ask,
    chat,
    custom_route,
    enter,
    multicast_and_broadcast,
    refused,
    round_trip,
    seconds,
    through_the_queue,
    until,
)
from tests.local_site import ROOT
from tests.policy import allowed
from ws_lambda import clock

PASSWORD = "correct-horse-battery"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """The demo before its deployment, in an AWS that has its tables and its queue."""
    with cloud.running(tmp_path) as aws:
        aws.create_stack("queue", ROOT / "serverless_config" / "queue.yaml", QueueName=f"demo-{STAGE}-fanout")
        found = Deployment(tmp_path, aws)
        # Not with tables.yaml, because the emulator's CloudFormation leaves out TTL and point-in-time recovery.
        found.manage("ws_tables", "create")
        yield found


def test_from_deploy_to_undeploy(deployment: Deployment, record_property: Callable[[str, object], None]) -> None:
    taken: dict[str, float] = {}
    template_has_everything(deployment)
    taken["deploy_s"] = seconds(lambda: said(deployment.zappa("deploy", STAGE)))
    deployed_as_asked(deployment)
    prepare_accounts(deployment)
    taken["cold_connect_ms"] = 1000 * seconds(lambda: refused(deployment, ws_token="0" * 64))
    red, blue = Browser(deployment), Browser(deployment)
    red.log_in("red", PASSWORD)
    blue.log_in("blue", PASSWORD)
    with enter(deployment, red, "general") as one, enter(deployment, blue, "general") as two:
        chat(one, two)
        taken["warm_round_trip_ms"] = round_trip(one)
        custom_route(one)
        multicast_and_broadcast(one, two)
        leave_a_dead_session(deployment)
        through_the_queue(deployment, blue, one, two)
        taken["update_s"] = seconds(lambda: update(deployment))
        chat(one, two)
        a_token_opens_one_connection(deployment, red)
        adopted_it_gains_a_route(deployment, one)  # last, because no DNS knows the emulator's own name for the API
    status(deployment)
    pruned_by_the_schedule(deployment)
    healthy(deployment)
    taken["undeploy_s"] = seconds(lambda: undeploy(deployment))
    rights.of_the_deployer(deployment.noted_calls())
    record_property(times.PROPERTY, {name: round(value, 1) for name, value in taken.items()})


def said(output: str) -> None:
    assert "Package: " in output
    assert "first CONNECT answered 401" in output
    assert "WebSocket URL: wss://" in output


def template_has_everything(deployment: Deployment) -> None:
    """`zappa template` alone leaves out the WebSocket API."""
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:demo-dev"
    role = "arn:aws:iam::000000000000:role/demo"
    deployment.zappa("template", STAGE, "--lambda-arn", arn, "--role-arn", role, "--output", "template.json")
    resources = json.loads((deployment.directory / "template.json").read_text())["Resources"]
    kinds = {one["Type"] for one in resources.values() if one["Properties"].get("ProtocolType") != "HTTP"}
    assert {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::Logs::LogGroup"} <= kinds
    routes = {one["Properties"]["RouteKey"] for one in resources.values() if one["Type"].endswith("Route")}
    assert {"$connect", "$disconnect", "$default", "chat_message", "who"} <= routes
    stage = resources["WsStage"]["Properties"]
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 500
    assert stage["RouteSettings"]["$connect"]["ThrottlingRateLimit"] == 100


def deployed_as_asked(deployment: Deployment) -> None:
    """The stage, the event source mapping and the role are as the settings say."""
    aws = deployment.aws
    function = deployment.function()
    assert function["Handler"] == "ws_lambda.lambda_handler.handler"
    variables = function["Environment"]["Variables"]
    assert len(variables["DJANGO_SECRET_KEY"]) >= 48
    api_id = variables["WS_LAMBDA_GATEWAY_IDS"]
    gateway = aws.client("apigatewayv2")
    (stage,) = gateway.get_stages(ApiId=api_id)["Items"]
    assert stage["StageName"] == STAGE
    assert stage["StageVariables"] == {"environment": STAGE}
    assert stage["AccessLogSettings"]["DestinationArn"].endswith(f"log-group:/ws-lambda/demo-{STAGE}/access")
    (mapping,) = aws.client("lambda").list_event_source_mappings(FunctionName=f"demo-{STAGE}")["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["EventSourceArn"].endswith(f":demo-{STAGE}-fanout")
    role = aws.client("iam").get_role_policy(
        RoleName=f"demo-{STAGE}-ZappaLambdaExecutionRole", PolicyName="zappa-permissions"
    )["PolicyDocument"]
    granted = {action: one["Resource"] for one in role["Statement"] for action in one["Action"]}
    assert set(granted) == set(allowed("function.json"))
    (sockets,) = granted["execute-api:ManageConnections"]
    assert sockets.endswith(f":{api_id}/{STAGE}/*/@connections/*")


def prepare_accounts(deployment: Deployment) -> None:
    """Sets variables that the emulator needs, and creates two users in the function itself with `zappa manage`."""
    api_id = deployment.variable("WS_LAMBDA_GATEWAY_IDS")
    endpoint = deployment.aws.connections_url(api_id, STAGE)
    deployment.set_variables(AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI=endpoint, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    for name in ("red", "blue"):
        create = f"createsuperuser --noinput --username {name} --email {name}@example.com"
        deployment.zappa("manage", STAGE, create)
    # New variables mean a new environment, so that the next event is a cold start.
    deployment.set_variables(DJANGO_SUPERUSER_PASSWORD="")


def leave_a_dead_session(deployment: Deployment) -> None:
    """Stores a session whose `$disconnect` never came."""
    opened = int((clock.now() - timedelta(hours=3).total_seconds()) * 1000)
    common = {"endpoint_url": {"S": "http://127.0.0.1:9"}, "api_id": {"S": "gone"}, "connected_at": {"N": str(opened)}}
    expires = {"expires_at": {"N": str(int(clock.now()) + 86_400)}}
    dynamodb = deployment.aws.client("dynamodb")
    session = {
        "connection_id": {"S": "DEAD="},
        "connected": {"BOOL": True},
        "live_shard": {"S": "2"},
        "channel_name": {"S": "general"},
        "channels": {"SS": ["general"]},
        "last_seen_at": {"N": str(opened)},
        "request_count": {"N": "0"},
        "message_windows": {"M": {}},
    }
    dynamodb.put_item(TableName=f"demo_{STAGE}_sessions", Item={**session, **common, **expires})
    member = {"channel": {"S": "attic"}, "connection_id": {"S": "DEAD="}, "joined_at": {"N": str(opened)}}
    dynamodb.put_item(TableName=f"demo_{STAGE}_memberships", Item={**member, **common, **expires})


def adopted_it_gains_a_route(deployment: Deployment, client: ClientConnection) -> None:
    """Once adopted, the API that Zappa created gets a route to another URL. Its clients stay connected."""
    api_id, noted = deployment.variable("WS_LAMBDA_GATEWAY_IDS"), deployment.calls.read_text()
    adopted = json.loads(deployment.manage("ws_gateway", "adopt", "live", api_id, "--json"))
    assert (adopted["status"], adopted["adopted"]) == ("deployed", True)
    route = ("route", "add", "live", "late", "--target", "/late/arrival")
    assert json.loads(deployment.manage("ws_gateway", *route, "--json"))["last_error"] == ""

    def arrives() -> bool:
        """A process that has read the records recently sees the new one within PERMISSION_CACHE_SECONDS."""
        return ask(client, action="late").get("arrived_at") == "/late/arrival"

    until(arrives, 240, "the new route does not lead to its URL")
    assert json.loads(deployment.manage("ws_gateway", "sync", "live", "--json"))["differences"] == []
    deployment.manage("ws_gateway", "delete", "live", "--yes")
    deployment.calls.write_text(noted)  # managing gateways takes rights that a deploy does not need
    assert deployment.aws.client("apigatewayv2").get_api(ApiId=api_id)["ApiId"] == api_id


def update(deployment: Deployment) -> None:
    secret, api_id = deployment.variable("DJANGO_SECRET_KEY"), deployment.variable("WS_LAMBDA_GATEWAY_IDS")
    assert "is live" in deployment.zappa("update", STAGE)
    assert deployment.variable("DJANGO_SECRET_KEY") == secret, "a new secret would log everyone out"
    assert deployment.variable("WS_LAMBDA_GATEWAY_IDS") == api_id
    (mapping,) = deployment.aws.client("lambda").list_event_source_mappings(FunctionName=f"demo-{STAGE}")[
        "EventSourceMappings"
    ]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    until(lambda: answers(deployment), 120, "the function does not start any more")


def answers(deployment: Deployment) -> bool:
    """Whether the function refuses a connect. On a busy machine a process may fail to start, and the emulator, unlike
    API Gateway, then closes the open socket that its message came from."""
    try:
        refused(deployment, ws_token="0" * 64)
    except AssertionError:
        return False
    return True


def status(deployment: Deployment) -> None:
    found = json.loads(deployment.zappa("status", STAGE, "--json").strip().splitlines()[-1])
    assert found["WebSocket URL"] == deployment.variable("WS_LAMBDA_WEBSOCKET_URL")
    assert found["WebSocket API"] == deployment.variable("WS_LAMBDA_GATEWAY_IDS")
    assert found["Num. Event Rules"] == 1


def pruned_by_the_schedule(deployment: Deployment) -> None:
    """The schedule runs every minute. It checks an orphan within half an hour, and `ws_prune` checks it at once."""
    dynamodb = deployment.aws.client("dynamodb")
    key = {"connection_id": {"S": "DEAD="}}

    def closed() -> bool:
        session = dynamodb.get_item(TableName=f"demo_{STAGE}_sessions", Key=key)["Item"]
        return not session["connected"]["BOOL"] and "live_shard" not in session

    until(closed, 300, "the schedule did not prune")
    deployment.zappa("manage", STAGE, "ws_prune")
    orphan = dynamodb.get_item(TableName=f"demo_{STAGE}_memberships", Key={"channel": {"S": "attic"}, **key})
    assert "Item" not in orphan


def healthy(deployment: Deployment) -> None:
    """`ws_doctor` finds nothing wrong; it warns of routes without a response, which the emulator cannot make."""
    found = json.loads(deployment.manage("ws_doctor", "--function", f"demo-{STAGE}", "--no-reach", "--json"))
    assert {one["subject"] for one in found} == {"tables", "clock", "secret", "api", "permission", "policy", "queue"}
    assert [one for one in found if one["level"] == "error"] == []


def undeploy(deployment: Deployment) -> None:
    """Nothing of ours stays: no role, no bucket, and no log group of the stack."""
    deployment.zappa("undeploy", STAGE, "--yes", "--remove-logs")
    aws = deployment.aws
    assert aws.client("lambda").list_functions()["Functions"] == []
    assert aws.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []
    assert aws.client("apigatewayv2").get_apis()["Items"] == []
    assert aws.client("events").list_rules()["Rules"] == []
    assert aws.client("s3").list_buckets()["Buckets"] == []
    assert [one for one in aws.client("iam").list_roles()["Roles"] if "demo" in one["RoleName"]] == []
    assert aws.client("logs").describe_log_groups()["logGroups"] == []
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert {one["StackName"] for one in stacks} == {"queue"}
