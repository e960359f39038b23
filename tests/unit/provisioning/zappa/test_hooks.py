"""The callback, called with Zappa's own command line object. What a whole deploy does is in `tests/e2e`."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from zappa.cli import ZappaCLI

from tests.unit.provisioning.zappa.deployed import DOMAIN, ROOT, Load, make_function


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
    make_function(FANOUT_QUEUE="of-old")
    (queue,) = [one for one in load("undeploy").stage_config["events"] if "event_source" in one]
    assert queue["event_source"]["arn"].endswith(":of-old")


def test_the_role_gets_our_policy_and_not_zappas_grant(load: Load) -> None:
    cli = load()
    policy = json.loads(cli.zappa.attach_policy)
    (sockets,) = [one for one in policy["Statement"] if one["Sid"] == "Sockets"]
    assert sockets["Resource"] == ["arn:aws:execute-api:eu-west-1:123456789012:*/dev/*/@connections/*"]
    assert cli.zappa.extra_permissions == []


def test_the_functions_of_all_events_are_packed(load: Load) -> None:
    nightly = {"name": "nightly", "function": "demo.tasks.nightly", "expression": "rate(1 day)"}
    mapped = {"function": "demo.tasks.arrived", "event_source": {"arn": "arn:aws:sns:eu-west-1:1:in", "events": ["x"]}}
    packed: dict[str, Any] = {}
    exec(load(events=[nightly, mapped]).get_zappa_settings_string(), packed)  # noqa: S102 - as the function does
    assert packed["EVENT_FUNCTIONS"] == ["demo.tasks.arrived", "demo.tasks.nightly"]


def test_more_rights_are_asked_for_in_the_settings(load: Load) -> None:
    """As for a function whose admin pages make gateways."""
    statements = json.loads((ROOT / "serverless_config" / "iam" / "gateways.json").read_text())["Statement"]
    extra = load(extra_permissions=statements).zappa.extra_permissions
    assert [one["Sid"] for one in extra] == [one["Sid"] for one in statements]
    assert "arn:aws:apigateway:eu-west-1::/apis" in extra[0]["Resource"]


def test_zappas_variables_reach_websocket_events_too(load: Load) -> None:
    cli = load(environment_variables={"COLOUR": "blue"})
    assert cli.aws_environment_variables["COLOUR"] == "blue"
    assert cli.environment_variables == {}


def test_variables_may_stand_in_the_block_and_are_remembered_by_the_function(load: Load) -> None:
    block = {"domain": {**DOMAIN, "name": "${WS_HOST}", "mapping": "${Stage}"}}
    given = {"WS_HOST": "${Stage}.example.com", "FANOUT_QUEUE": "q"}
    cli = load(websocket_api=block, aws_environment_variables=given, manage_roles=False)
    assert cli.zappa.get_websocket_url("demo-dev", "dev") == "wss://dev.example.com/dev"
    make_function(WS_HOST="of-old.example.com", FANOUT_QUEUE="q")
    cli = load("status", websocket_api=block, aws_environment_variables=given)
    assert cli.zappa.get_websocket_url("demo-dev", "dev") == "wss://of-old.example.com/dev"


def test_the_hook_sets_its_own_handlers_by_default(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ZappaCLI, "_detect_websocket_usage", staticmethod(lambda: "some.test"))
    cli = load(lambda_handler="handler.lambda_handler", websocket_handler_module=None)
    assert cli.lambda_handler == "ws_lambda.lambda_handler.handler"
    assert cli.use_websocket == "ws_lambda.zappa_entry"


@pytest.mark.parametrize(("name", "rate", "days"), [("dev", 1000, 14), ("production", 5000, 90)])
def test_template_has_the_websocket_api(load: Load, tmp_path: Path, name: str, rate: int, days: int) -> None:
    """Of every stage of the repository's settings."""
    assert set(json.loads((ROOT / "zappa_settings.json").read_text())) == {"dev", "production"}
    cli = load(stage=name)
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:demo-dev"
    cli.template(arn, "arn:aws:iam::123456789012:role/demo", output="out.json")
    resources = json.loads((tmp_path / "out.json").read_text())["Resources"]
    assert resources["WsApi"]["Properties"]["ProtocolType"] == "WEBSOCKET"
    stage = resources["WsStage"]["Properties"]
    assert (stage["StageName"], stage["StageVariables"]) == (name, {"environment": name})
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == rate
    assert resources["WsAccessLog"]["Properties"]["RetentionInDays"] == days
    (route,) = [one for one in resources.values() if one["Properties"].get("RouteKey") == "chat_message"]
    assert route["Properties"]["RouteResponseSelectionExpression"] == "$default"
    assert cli.aws_environment_variables["TABLE_PREFIX"] == f"demo_{name}_"
    assert cli.lambda_name == f"demo-{name}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"app_type": "asgi"}, "empty 200"),
        ({"slim_handler": True}, "slim_handler"),
        ({"snap_start": "PublishedVersions", "runtime": "python3.11"}, "no SnapStart for python3.11"),
        ({"websocket_api": {"rutes": []}}, "has no rutes"),
        ({"runtime": "python3.9"}, "runtime of the function is python3.9"),
        ({"aws_environment_variables": {"A": "${Nonsense}"}}, "Nonsense"),
        ({"aws_environment_variables": {"A": "${env:NO_SUCH_VARIABLE}"}}, "set NO_SUCH_VARIABLE"),
    ],
)
def test_impossible_settings_stop_the_command(load: Load, changes: dict[str, Any], said: str) -> None:
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


def test_a_package_for_a_newer_c_library_is_not_uploaded(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would load here, and so in the tryout."""
    wheel = {"late-1.0.dist-info/WHEEL": "Tag: cp313-cp313-manylinux_2_99_x86_64"}
    monkeypatch.setattr(ZappaCLI, "create_package", lambda cli, *_a, **_k: _bare_package(cli, wheel))
    cli = load("deploy", manage_roles=False)
    with pytest.raises(click.ClickException, match=r"late-1\.0 \(glibc 2\.99\)"):
        cli.create_package()


def _bare_package(cli: Any, files: dict[str, str] | None = None) -> None:
    import zipfile

    cli.zip_path = "package.zip"
    with zipfile.ZipFile(cli.zip_path, "w") as zipped:
        for name, text in {"other.py": "", **(files or {})}.items():
            zipped.writestr(name, text)


def test_the_urls_are_those_of_the_domain(load: Load) -> None:
    cli = load(websocket_api={"domain": DOMAIN})
    assert cli.zappa.get_websocket_url("demo-dev", "dev") == "wss://ws.example.com/chat"
    assert load().zappa.get_websocket_url("demo-dev", "dev") is None
