"""The CloudFormation files and the code agree."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ws_lambda import telemetry
from ws_lambda.conf import conf
from ws_lambda.delivery.jobs import LIFETIME
from ws_lambda.provisioning import dynamodb_tables
from ws_lambda.tables.fanout_jobs import KEPT

CONFIG = Path(__file__).resolve().parents[3] / "serverless_config"


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as what stands behind them."""


def _tag(loader: Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _tag)


def resources(name: str) -> dict[str, dict[str, Any]]:
    document = yaml.load((CONFIG / name).read_text(), Loader)  # noqa: S506 - a SafeLoader
    return {key: one["Properties"] for key, one in document["Resources"].items()}


def test_tables_are_those_of_the_models() -> None:
    models = {
        one.Meta.table_name.removeprefix(conf.TABLE_PREFIX): dynamodb_tables.described(one)
        for one in dynamodb_tables.expected()
    }
    file = {one["TableName"].removeprefix("${TablePrefix}"): one for one in resources("tables.yaml").values()}
    assert set(file) == set(models), (
        f"serverless_config/tables.yaml lacks {set(models) - set(file)}, and "
        f"ALL_TABLES in ws_lambda/models/__init__.py lacks {set(file) - set(models)}."
    )
    for name, model in models.items():
        table = file[name]
        assert sorted(table["AttributeDefinitions"], key=str) == sorted(model["AttributeDefinitions"], key=str), name
        assert table["KeySchema"] == model["KeySchema"], name
        assert _indexes(table) == _indexes(model), name
        assert table.get("TimeToLiveSpecification", {}).get("AttributeName") == model["TimeToLive"], name
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def _indexes(table: dict[str, Any]) -> dict[str, Any]:
    return {
        one["IndexName"]: (
            one["KeySchema"],
            one["Projection"]["ProjectionType"],
            sorted(one["Projection"].get("NonKeyAttributes", [])),
        )
        for one in table.get("GlobalSecondaryIndexes", [])
    }


def test_the_queue_waits_six_times_as_long_as_the_function_may_run() -> None:
    timeout = json.loads((CONFIG.parent / "zappa_settings.json").read_text())["dev"]["timeout_seconds"]
    parameters = yaml.load((CONFIG / "queue.yaml").read_text(), Loader)["Parameters"]  # noqa: S506 - a SafeLoader
    assert parameters["VisibilityTimeout"]["Default"] == 6 * timeout


def test_a_job_that_is_too_old_has_time_to_get_into_the_dead_letter_queue() -> None:
    queue = resources("queue.yaml")["FanoutQueue"]
    parameters = yaml.load((CONFIG / "queue.yaml").read_text(), Loader)["Parameters"]  # noqa: S506 - a SafeLoader
    tries = queue["RedrivePolicy"]["maxReceiveCount"] * parameters["VisibilityTimeout"]["Default"]
    assert LIFETIME + tries < queue["MessageRetentionPeriod"] < KEPT.total_seconds()


def test_alarms_watch_what_can_go_wrong() -> None:
    watched = {name: set(_metrics(one)) for name, one in resources("alarms.yaml").items() if "AlarmDescription" in one}
    assert watched == {
        "FunctionErrors": {("AWS/Lambda", "Errors")},
        "FunctionThrottles": {("AWS/Lambda", "Throttles")},
        "DeadLetters": {("AWS/SQS", "ApproximateNumberOfMessagesVisible")},
        "FanoutAge": {("AWS/SQS", "ApproximateAgeOfOldestMessage")},
        "ConnectRefusals": {("ws_lambda", "ConnectsRefused"), ("AWS/ApiGateway", "ClientError")},
        "ConnectFailures": {("ws_lambda", "ConnectsFailed"), ("AWS/ApiGateway", "ExecutionError")},
        "ExecutionErrors": {("AWS/ApiGateway", "ExecutionError")},
        "PruneMissing": {("ws_lambda", "PruneRuns")},
    }


def test_alarms_and_dashboard_name_metrics_that_are_written() -> None:
    document = resources("alarms.yaml")
    own = {name for one in document.values() for space, name in _metrics(one) if space == "ws_lambda"}
    space = ""
    body = json.loads(re.sub(r"\$\{[^}]+\}", "x", document["Dashboard"]["DashboardBody"]))
    for line in (line for widget in body["widgets"] for line in widget["properties"]["metrics"]):
        space = space if line[0].startswith(".") else line[0]
        own |= {line[1]} if space == "ws_lambda" and line[0] != "..." else set()
    assert {"Refusals", "Deliveries", "HandlerTime", "ColdStarts", "PruneRuns", "ConnectsFailed"} <= own
    assert own <= set(re.findall(r"\b[A-Z][A-Za-z]+\b", telemetry.__doc__ or ""))


def _metrics(part: Any) -> Iterator[tuple[str, str]]:
    """(namespace, name) of every metric that a resource names."""
    if isinstance(part, dict):
        if "MetricName" in part:
            yield part["Namespace"], part["MetricName"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _metrics(one)


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_cfn_lint_has_nothing_to_say(path: Path) -> None:
    from cfnlint import api

    assert [str(one) for one in api.lint_file(path)] == []


def test_the_readme_names_every_file_in_its_order() -> None:
    text = (CONFIG / "README.md").read_text()
    files = [path.relative_to(CONFIG).as_posix() for path in CONFIG.rglob("*") if path.suffix in (".yaml", ".json")]
    assert [name for name in files if name not in text] == []
