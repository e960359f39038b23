"""`ws_doctor` finds each problem, and advises what to do about it."""

import contextlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command

from tests import created_tables, moto_apigateway
from ws_lambda import aws, clock
from ws_lambda.events import FIXED_ROUTES
from ws_lambda.provisioning import doctor, dynamodb_tables, role_policy

REGION = "eu-west-1"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, no_tables: None, settings: Any) -> Iterator[str]:
    """A deployment in good health; the value is its API's id."""
    moto_apigateway.install(monkeypatch)
    aws.forget()
    settings.SECRET_KEY = "s" * 50
    created_tables.create()
    gateway = boto3.client("apigatewayv2", region_name=REGION)
    api_id: str = gateway.create_api(
        Name="demo", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    for key in FIXED_ROUTES:
        more = {"RouteResponseSelectionExpression": "$default"} if key == "$default" else {}
        gateway.create_route(ApiId=api_id, RouteKey=key, Target="integrations/one", **more)
    gateway.create_stage(
        ApiId=api_id,
        StageName="dev",
        AutoDeploy=True,
        DefaultRouteSettings={"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 50},
        AccessLogSettings={
            "DestinationArn": "arn:aws:logs:eu-west-1:123456789012:log-group:x",
            "Format": "$context.requestId",
        },
    )
    _make_function(api_id)
    yield api_id
    aws.forget()


def _make_function(api_id: str) -> None:
    iam = boto3.client("iam", region_name=REGION)
    role = iam.create_role(RoleName="demo", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    _allow(sorted(role_policy.REQUIRED))
    queues = boto3.client("sqs", region_name=REGION)
    dead = queues.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = queues.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 5})
    queue = queues.create_queue(QueueName="fanout", Attributes={"VisibilityTimeout": "360", "RedrivePolicy": redrive})[
        "QueueUrl"
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.py", "")
    function = boto3.client("lambda", region_name=REGION)
    variables = {
        "WS_LAMBDA_GATEWAY_IDS": api_id,
        "WS_LAMBDA_WEBSOCKET_URL": f"wss://{api_id}.execute-api.eu-west-1.amazonaws.com/dev",
        "FANOUT_QUEUE_URL": queue,
    }
    function.create_function(
        FunctionName="demo-dev",
        Runtime="python3.11",
        Handler="a.b",
        Role=role,
        Timeout=60,
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": variables},
    )
    function.add_permission(
        FunctionName="demo-dev",
        StatementId="ws",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:eu-west-1:123456789012:{api_id}/*",
    )
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function.create_event_source_mapping(
        FunctionName="demo-dev", EventSourceArn=arn, FunctionResponseTypes=["ReportBatchItemFailures"]
    )


def _allow(actions: list[str]) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam = boto3.client("iam", region_name=REGION)
    iam.put_role_policy(RoleName="demo", PolicyName="own", PolicyDocument=json.dumps(document))


def bad(**options: Any) -> list[tuple[str, str]]:
    """What is not right: (subject, text)."""
    out = StringIO()
    arguments = {"function": "demo-dev", "no_reach": True, **options}
    with contextlib.suppress(CommandError):
        call_command("ws_doctor", json=True, stdout=out, **arguments)
    return [(one["subject"], one["text"]) for one in json.loads(out.getvalue()) if one["level"] != "ok"]


def test_a_healthy_deployment(account: str) -> None:
    out = StringIO()
    call_command("ws_doctor", function="demo-dev", no_reach=True, strict=True, stdout=out)
    assert "no errors" in out.getvalue()
    assert {line.split()[1] for line in out.getvalue().splitlines()[:-1]} == {
        "tables",
        "clock",
        "secret",
        "api",
        "permission",
        "policy",
        "queue",
    }


def test_a_missing_table(account: str) -> None:
    name = next(iter(dynamodb_tables.status())).name
    boto3.client("dynamodb", region_name=REGION).delete_table(TableName=name)
    assert bad() == [("tables", f"{name} is missing")]
    out = StringIO()
    with pytest.raises(CommandError, match="1 of"):
        call_command("ws_doctor", function="demo-dev", no_reach=True, stdout=out)
    assert "-> Run `manage.py ws_tables create`." in out.getvalue()


def test_a_route_that_is_missing_and_one_without_a_response(account: str, settings: Any) -> None:
    gateway = boto3.client("apigatewayv2", region_name=REGION)
    settings.WS_LAMBDA = {"ROUTE_PATHS": {"chat": "/ws/chat/", "stats": "/ws/stats/"}}
    gateway.create_route(ApiId=account, RouteKey="chat", Target="integrations/one")
    assert bad() == [
        ("api", "the route chat has no route response, so answers do not reach the client"),
        ("api", "the route stats is missing, or has no target"),
    ]


def test_a_bare_stage(account: str) -> None:
    boto3.client("apigatewayv2", region_name=REGION).create_stage(ApiId=account, StageName="bare")
    assert bad() == [
        ("api", "the stage bare has no throttling"),
        ("api", "the stage bare has no access log"),
        ("api", "the stage bare was never deployed"),
    ]


def test_an_api_that_may_not_invoke(account: str) -> None:
    boto3.client("lambda", region_name=REGION).remove_permission(FunctionName="demo-dev", StatementId="ws")
    assert bad() == [("permission", f"{account} may not invoke demo-dev")]


def test_an_api_that_calls_an_alias_needs_the_permission_there(account: str) -> None:
    function = boto3.client("lambda", region_name=REGION)
    version = function.publish_version(FunctionName="demo-dev")["Version"]
    alias = function.create_alias(FunctionName="demo-dev", Name="snapstart", FunctionVersion=version)["AliasArn"]
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{alias}/invocations"
    gateway = boto3.client("apigatewayv2", region_name=REGION)
    gateway.create_integration(ApiId=account, IntegrationType="AWS_PROXY", IntegrationUri=uri)
    (found,) = doctor._permission(doctor.Deployment.of_function("demo-dev"))
    assert found.text.endswith("invoke demo-dev:snapstart")


def test_a_role_that_may_too_little_or_too_much(account: str) -> None:
    _allow(sorted(role_policy.REQUIRED - {"dynamodb:Query"}))
    assert bad() == [("policy", "the role does not allow dynamodb:Query")]
    _allow([*sorted(role_policy.REQUIRED), "s3:*"])
    assert bad() == [("policy", "the role allows more than it needs: s3:*")]


def test_rights_may_come_from_a_managed_policy_too(account: str) -> None:
    _allow(sorted(role_policy.REQUIRED - {"dynamodb:Query"}))
    iam = boto3.client("iam", region_name=REGION)
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": "*"}}
    managed = iam.create_policy(PolicyName="reading", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="demo", PolicyArn=managed)
    assert bad() == []


def test_a_queue_that_is_too_impatient(account: str) -> None:
    queues = boto3.client("sqs", region_name=REGION)
    url = queues.get_queue_url(QueueName="fanout")["QueueUrl"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    assert bad() == [("queue", "the visibility timeout is 30 s, and the function may take 60 s")]


def test_a_mapping_that_repeats_whole_batches(account: str) -> None:
    function = boto3.client("lambda", region_name=REGION)
    (mapping,) = function.list_event_source_mappings()["EventSourceMappings"]
    function.delete_event_source_mapping(UUID=mapping["UUID"])
    assert bad() == [("queue", "no event source mapping reports partial batch failures")]


def test_a_clock_that_is_wrong(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right() + timedelta(hours=1).total_seconds())
    ((subject, text),) = bad()
    assert subject == "clock"
    assert re.search(r"\+3(59|60)\d", text)


def test_a_placeholder_for_a_secret(account: str, settings: Any) -> None:
    settings.SECRET_KEY = "django-insecure-" + "x" * 50
    assert bad() == [("secret", "SECRET_KEY is too short, or a placeholder")]


def test_a_placeholder_among_the_functions_variables(account: str) -> None:
    function = boto3.client("lambda", region_name=REGION)
    variables = function.get_function_configuration(FunctionName="demo-dev")["Environment"]["Variables"]
    variables |= {"DJANGO_SECRET_KEY": "", "GATEWAY_SECRET": "x" * 48}
    function.update_function_configuration(FunctionName="demo-dev", Environment={"Variables": variables})
    assert bad() == [("secret", "DJANGO_SECRET_KEY is too short, or a placeholder")]


def test_a_timeout_that_leaves_no_time_to_send(account: str) -> None:
    boto3.client("lambda", region_name=REGION).update_function_configuration(FunctionName="demo-dev", Timeout=3)
    assert bad() == [("timeout", "the function may take 3 s, of which 3 s are reserved for its end")]


def test_no_such_function(account: str) -> None:
    with pytest.raises(CommandError, match="other-dev"):
        call_command("ws_doctor", function="other-dev")


def test_a_local_run_is_nothing_to_ask_aws_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WS_LAMBDA_WEBSOCKET_URL", "ws://127.0.0.1:8001/local")
    monkeypatch.setattr(doctor, "examine", lambda *_args, **_options: pytest.fail("it was asked about"))
    with pytest.raises(CommandError, match=r"local run.*--function"):
        call_command("ws_doctor")


def test_rights_that_are_lacking_stop_nothing(account: str) -> None:
    assert bad(function="", api_id="nothing")[0][0] == "api"


def test_the_url_is_reached_whatever_it_answers() -> None:
    class Upgrade(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(426)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Upgrade)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    url = f"ws://127.0.0.1:{server.server_port}/dev"
    (found,) = doctor._url(doctor.Deployment(url=url))
    thread.join()
    server.server_close()
    assert found.text == f"127.0.0.1:{server.server_port} answers a plain GET with 426"
    (found,) = doctor._url(doctor.Deployment(url=url))
    assert found.level == "error"


def test_the_rights_it_asks_for_are_those_of_the_policy_file() -> None:
    from tests.policy import allowed

    assert allowed("function.json") >= role_policy.REQUIRED
    optional = {one for one in allowed("function.json") if one.startswith("sqs:")} | {"logs:CreateLogGroup"}
    assert allowed("function.json") - role_policy.REQUIRED == optional
