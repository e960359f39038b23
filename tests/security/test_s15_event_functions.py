"""S15: a person who can write an SNS message, an S3 notification or a rule runs only functions that are named.

Zappa's own handler, in a process of its own, with the settings module that Zappa packs.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import function_process
from tests.golden import golden

TOPIC = "arn:aws:sns:eu-west-1:123456789012:in"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:in"
PACKED = f"""
APP_TYPE = None
ARCHIVE_PATH = REMOTE_ENV = EXCEPTION_HANDLER = DOMAIN = BASE_PATH = None
DEBUG = False
BINARY_SUPPORT = True
LOG_LEVEL = "INFO"
CONTEXT_HEADER_MAPPINGS = ENVIRONMENT_VARIABLES = AWS_BOT_EVENT_MAPPING = COGNITO_TRIGGER_MAPPING = {{}}
API_STAGE = "dev"
PROJECT_NAME = "demo"
SETTINGS_FILE = None
DJANGO_SETTINGS = "tests.settings"
ASYNC_RESPONSE_TABLE = ""
ADDITIONAL_TEXT_MIMETYPES = []
AWS_EVENT_MAPPING = {{"{TOPIC}": ["events_of_a_project.arrived"], "{QUEUE}": ["events_of_a_project.arrived"]}}
EVENT_FUNCTIONS = ["events_of_a_project.named"]
"""
PROJECT = """
def arrived(event): return "arrived"
def named(event): return "named"
def secret(*args, **kwargs): return f"secret {args}"
"""


def sns(message: Any, topic: str = TOPIC) -> dict[str, Any]:
    event = golden("services/sns")
    event["Records"][0]["Sns"] |= {"Message": message if isinstance(message, str) else json.dumps(message)}
    event["Records"][0]["Sns"]["TopicArn"] = topic
    return event


def s3(configuration_id: str) -> dict[str, Any]:
    event = golden("services/s3")
    event["Records"][0]["s3"]["configurationId"] = configuration_id
    return event


def sqs(body: Any, queue: str = QUEUE) -> dict[str, Any]:
    record = {"messageId": "1", "receiptHandle": "r", "body": json.dumps(body), "eventSource": "aws:sqs"}
    return {"Records": [{**record, "eventSourceARN": queue}]}


def scheduled(rule: str) -> dict[str, Any]:
    return {**golden("services/scheduled"), "resources": [f"arn:aws:events:eu-west-1:123456789012:rule/{rule}"]}


TASK = {"task_path": "events_of_a_project.secret", "args": [], "kwargs": {}, "capture_response": False}
SECRET = {"command": "events_of_a_project.secret"}
REFUSED = {
    "an SNS message": sns(SECRET),
    "an SNS message with a module of Python's": sns({"command": "os.getcwd"}),
    "an SNS message with an SNS task": sns({**TASK, "command": "zappa.asynchronous.route_sns_task"}),
    "an SNS message with a task of the other kind": sns({**TASK, "command": "zappa.asynchronous.route_lambda_task"}),
    "an S3 notification": s3("x:events_of_a_project.secret"),
    "a rule": scheduled("demo-dev-events_of_a_project.secret"),
}
RUN = {
    "an SNS message to a mapped topic": (sns("hello"), "arrived"),
    "an SNS message that is JSON and no object": (sns("[1]"), "arrived"),
    "an SNS message with a named function": (sns({"command": "events_of_a_project.named"}), "named"),
    "an S3 notification with a named function": (s3("x:events_of_a_project.named"), "named"),
    "a rule with a named function": (scheduled("demo-dev-nightly-events_of_a_project.named"), "named"),
    "an SQS message, whatever it asks for": (sqs(SECRET), "arrived"),
    "a direct invocation, which may run anything": (SECRET, "secret "),
    "a task by direct invocation": (
        {**TASK, "args": [7], "command": "zappa.asynchronous.route_lambda_task"},
        "secret (7,)",
    ),
}
UNKNOWN = {"another queue": sqs("hello", f"{QUEUE}-else"), "another topic": sns("hello", f"{TOPIC}-else")}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    path: Path = tmp_path_factory.mktemp("packed")
    (path / "zappa_settings.py").write_text(PACKED)
    (path / "events_of_a_project.py").write_text(PROJECT)
    sent = {**REFUSED, **{name: event for name, (event, _expected) in RUN.items()}, **UNKNOWN}
    found = function_process.answers(list(sent.values()), settings="", zappa=True, path=path)
    return dict(zip(sent, found, strict=True))


@pytest.mark.parametrize("name", REFUSED)
def test_functions_that_the_deployment_has_not_named_do_not_run(answers: dict[str, dict[str, Any]], name: str) -> None:
    assert answers[name].get("error", "").startswith("PermissionError: The event asks for "), answers[name]
    assert "which the deployment has not named" in answers[name]["error"]


@pytest.mark.parametrize("name", RUN)
def test_named_functions_run_and_so_do_those_invoked_directly(answers: dict[str, dict[str, Any]], name: str) -> None:
    assert str(answers[name].get("answer")).startswith(RUN[name][1]), answers[name]


@pytest.mark.parametrize("name", UNKNOWN)
def test_records_of_an_unnamed_source_are_an_error_and_not_lost(answers: dict[str, dict[str, Any]], name: str) -> None:
    assert (
        answers[name].get("error", "").startswith("EventError: The deployment has no function for records from arn:")
    ), name
