"""The callback, called with Zappa's own command line object. What a whole deploy does is in `tests/e2e`."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import click
import pytest
from moto import mock_aws
from zappa.cli import ZappaCLI

from ws_lambda.provisioning.zappa import hooks

ROOT = Path(__file__).resolve().parents[4]

Load = Callable[..., Any]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads the repository's own settings, changed as told, as the `zappa` command would."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "serverless_config", tmp_path / "serverless_config")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    def loaded(command: str = "template", **changes: Any) -> Any:
        settings = json.loads((ROOT / "zappa_settings.json").read_text())
        settings["dev"]["runtime"] = f"python3.{sys.version_info.minor}"
        settings["dev"].update(changes)
        (tmp_path / "zappa_settings.json").write_text(json.dumps(settings))
        cli = ZappaCLI()
        cli.api_stage, cli.command, cli.vargs = "dev", command, {}
        cli.load_settings()
        hooks.settings(cli)
        return cli

    with mock_aws():
        yield loaded


def test_settings_are_filled_in(load: Load) -> None:
    cli = load()
    variables = cli.aws_environment_variables
    assert variables["TABLE_PREFIX"] == "demo_dev_"
    assert variables["FANOUT_QUEUE_URL"] == "https://sqs.eu-west-1.amazonaws.com/123456789012/demo-dev-fanout"
    assert variables["DJANGO_SETTINGS_MODULE"] == "project.settings"
    (queue,) = [one for one in cli.stage_config["events"] if "event_source" in one]
    assert queue["event_source"]["arn"] == "arn:aws:sqs:eu-west-1:123456789012:demo-dev-fanout"
    assert cli.s3_bucket_name == "zappa-demo-dev-123456789012-eu-west-1"


def test_undeploy_finds_the_queue_by_what_is_deployed(load: Load) -> None:
    iam = boto3.client("iam", region_name="eu-west-1")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    boto3.client("lambda", region_name="eu-west-1").create_function(
        FunctionName="demo-dev",
        Runtime="python3.11",
        Handler="a.b",
        Role=role,
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        Environment={"Variables": {"FANOUT_QUEUE": "of-old"}},
    )
    (queue,) = [one for one in load("undeploy").stage_config["events"] if "event_source" in one]
    assert queue["event_source"]["arn"].endswith(":of-old")


def test_the_role_gets_our_policy_and_not_zappas_grant(load: Load) -> None:
    cli = load()
    policy = json.loads(cli.zappa.attach_policy)
    (sockets,) = [one for one in policy["Statement"] if one["Sid"] == "Sockets"]
    assert sockets["Resource"] == ["arn:aws:execute-api:eu-west-1:123456789012:*/dev/*/@connections/*"]
    assert cli.zappa.extra_permissions == []


def test_zappas_variables_reach_websocket_events_too(load: Load) -> None:
    cli = load(environment_variables={"COLOUR": "blue"})
    assert cli.aws_environment_variables["COLOUR"] == "blue"
    assert cli.environment_variables == {}


def test_what_is_left_out_is_ours(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ZappaCLI, "_detect_websocket_usage", staticmethod(lambda: "some.test"))
    cli = load(lambda_handler="handler.lambda_handler", websocket_handler_module=None)
    assert cli.lambda_handler == "ws_lambda.lambda_handler.handler"
    assert cli.use_websocket == "ws_lambda.zappa_entry"


def test_template_has_the_websocket_api(load: Load, tmp_path: Path) -> None:
    cli = load()
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:demo-dev"
    cli.template(arn, "arn:aws:iam::123456789012:role/demo", output="out.json")
    resources = json.loads((tmp_path / "out.json").read_text())["Resources"]
    assert resources["WsApi"]["Properties"]["ProtocolType"] == "WEBSOCKET"
    assert resources["WsStage"]["Properties"]["StageName"] == "dev"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"app_type": "asgi"}, "empty 200"),
        ({"slim_handler": True}, "slim_handler"),
        ({"websocket_api": {"rutes": []}}, "has no rutes"),
        ({"runtime": "python3.9"}, "is to run on python3.9"),
        ({"aws_environment_variables": {"A": "${Nonsense}"}}, "Nonsense"),
        ({"aws_environment_variables": {"A": "${env:NO_SUCH_VARIABLE}"}}, "set NO_SUCH_VARIABLE"),
    ],
)
def test_what_cannot_work_stops_the_command(load: Load, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(click.ClickException, match=said):
        load(**changes)


def test_certify_is_refused(load: Load) -> None:
    with pytest.raises(click.ClickException, match="domain"):
        load().certify()


def test_a_package_that_does_not_work_is_not_uploaded(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zappa packs the directory it is in: this one, where the function's own module is missing."""
    monkeypatch.setattr(ZappaCLI, "create_package", lambda cli, *_a, **_k: _bare_package(cli))
    cli = load("deploy", manage_roles=False)
    with pytest.raises(click.ClickException, match=r"(?s)was not uploaded.*No module named 'ws_lambda'"):
        cli.create_package()


def _bare_package(cli: Any) -> None:
    import zipfile

    cli.zip_path = "package.zip"
    with zipfile.ZipFile(cli.zip_path, "w") as zipped:
        zipped.writestr("other.py", "")


def test_the_urls_are_those_of_the_domain(load: Load) -> None:
    domain = {"name": "ws.example.com", "certificate_arn": "arn:aws:acm:eu-west-1:1:certificate/x", "mapping": "chat"}
    cli = load(websocket_api={"domain": domain})
    assert cli.zappa.get_websocket_url("demo-dev", "dev") == "wss://ws.example.com/chat"
    assert load().zappa.get_websocket_url("demo-dev", "dev") is None
