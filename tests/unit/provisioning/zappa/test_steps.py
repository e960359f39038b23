"""What the hooks do at single steps of Zappa's, with Zappa's own code and moto. A whole deploy is in `tests/e2e`."""

import boto3
import click
import pytest

from tests.unit.provisioning.zappa.deployed import DOMAIN, Load, make_function
from ws_lambda.provisioning.zappa.steps import Stage

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:demo-dev"


def test_undeploy_clears_away_what_a_broken_deploy_has_left(load: Load) -> None:
    iam, s3 = (boto3.client(name, region_name="eu-west-1") for name in ("iam", "s3"))
    load("deploy").zappa.create_iam_roles()
    assert iam.list_roles()["Roles"]
    cli = load("undeploy")
    s3.create_bucket(Bucket=cli.s3_bucket_name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for name in ("demo-dev-1767225600.zip", "demo-dev-template-1767225600.json"):
        s3.put_object(Bucket=cli.s3_bucket_name, Key=name, Body=b"")
    with pytest.raises(click.ClickException, match="Function does not exist"):
        cli.undeploy(no_confirm=True)
    assert iam.list_roles()["Roles"] == []
    assert s3.list_buckets()["Buckets"] == []


def test_undeploy_clears_nothing_away_that_was_not_confirmed(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    load("deploy").zappa.create_iam_roles()
    monkeypatch.setattr("builtins.input", lambda _question: "n")
    load("undeploy").undeploy()
    assert len(boto3.client("iam", region_name="eu-west-1").list_roles()["Roles"]) == 1


def test_a_schedule_is_made_without_a_role(load: Load) -> None:
    """EventBridge refuses a role that it may not take: "cannot be assumed by principal 'events.amazonaws.com'"."""
    make_function(FANOUT_QUEUE="q")
    prune = {"name": "prune", "function": "ws_lambda.housekeeping.prune", "expression": "rate(5 minutes)"}
    cli = load("deploy", events=[prune])
    cli.zappa.create_iam_roles()
    cli.schedule()
    (rule,) = boto3.client("events", region_name="eu-west-1").list_rules()["Rules"]
    assert rule["Name"] == "demo-dev-prune-ws_lambda.housekeeping.prune"
    assert "RoleArn" not in rule


def test_an_update_tells_the_function_its_new_address(load: Load) -> None:
    client = make_function(FANOUT_QUEUE="q", WS_LAMBDA_WEBSOCKET_URL="wss://old.example.com", OTHER="stays")
    cli = load("update", websocket_api={"domain": DOMAIN})
    stage = Stage(cli)
    stage.prepare()
    cli.zappa.create_iam_roles()
    cli.zappa.update_lambda_configuration(
        lambda_arn=FUNCTION,
        function_name="demo-dev",
        handler=cli.lambda_handler,
        aws_environment_variables=cli.aws_environment_variables,
    )
    stage._tell_addresses()
    variables = client.get_function_configuration(FunctionName="demo-dev")["Environment"]["Variables"]
    assert variables["WS_LAMBDA_WEBSOCKET_URL"] == "wss://ws.example.com/chat"
    assert variables["OTHER"] == "stays"


def test_an_update_without_a_stack_says_what_to_do(load: Load) -> None:
    make_function(FANOUT_QUEUE="q")
    cli = load("update")
    cli.zappa.create_stack_template(FUNCTION, "demo-dev", False, False, None, apigateway_version="v2", websocket=True)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=cli.s3_bucket_name)
    with pytest.raises(click.ClickException, match='"zappa undeploy dev", then "zappa deploy dev"'):
        cli.zappa.update_stack("demo-dev", cli.s3_bucket_name, update_only=True, disable_progress=True)


def test_a_published_version_learns_the_addresses_too(load: Load) -> None:
    """SnapStart runs published versions, whose environment is that of the moment."""
    client = make_function(DJANGO_SECRET_KEY="as it was")
    first = client.publish_version(FunctionName="demo-dev")["Version"]
    client.create_alias(FunctionName="demo-dev", Name="snapstart", FunctionVersion=first)
    cli = load(runtime="python3.12", snap_start="PublishedVersions", command="status", websocket_api={"domain": DOMAIN})
    assert cli.apigateway_lambda_qualifier == "snapstart"
    Stage(cli)._tell_addresses()
    live = client.get_function_configuration(FunctionName="demo-dev", Qualifier="snapstart")
    assert live["Version"] != first
    assert live["Environment"]["Variables"]["WS_LAMBDA_WEBSOCKET_URL"] == "wss://ws.example.com/chat"
    assert live["Environment"]["Variables"]["DJANGO_SECRET_KEY"] == "as it was"
