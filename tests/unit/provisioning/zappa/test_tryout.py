"""A package that does not work is detected before the upload."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ws_lambda.exceptions import ProvisioningError
from ws_lambda.provisioning.zappa.tryout import Tryout, try_out

DOOR = """
def handler(event, context):
    assert context.get_remaining_time_in_millis() > 0
    if event.get("version") == "2.0":
        return {"statusCode": 302}
    return {"statusCode": 401 if event["requestContext"]["eventType"] == "CONNECT" else 400}
"""

Try = Callable[..., Tryout]


@pytest.fixture
def try_files(tmp_path: Path) -> Try:
    """Tries out a package of these files; the modules that every package has are there, and empty."""

    def tried(*, borrowed: Path | None = None, **files: str) -> Tryout:
        archive = tmp_path / "package.zip"
        usual = {f"ws_lambda/{name}": "" for name in ("__init__", "fanout", "housekeeping")}
        usual |= {f"ws_lambda/delivery/{name}": "" for name in ("__init__", "curl", "job_queue")}
        usual |= {f"ws_lambda/sources/{name}": "" for name in ("__init__", "management_command")}
        usual["ws_lambda/aws"] = "def client(service): pass"
        with zipfile.ZipFile(archive, "w") as zipped:
            for name, text in {**usual, **files}.items():
                zipped.writestr(f"{name}.py", text)
        return try_out(archive, handler="door.handler", environment={"GREETING": "hello"}, borrowed=borrowed)

    return tried


def test_a_package_that_works(try_files: Try) -> None:
    found = try_files(door=DOOR)
    assert (found.connect, found.request) == (401, 302)
    assert found.connect_ms >= found.import_ms > 0
    assert "first CONNECT answered 401" in str(found)


def test_a_module_that_was_trimmed_away(try_files: Try) -> None:
    with pytest.raises(ProvisioningError, match=r"(?s)was not uploaded.*No module named 'gone'"):
        try_files(door="import gone\n" + DOOR)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("ws_lambda/delivery/curl", "import pycurl_that_went", "No module named 'pycurl_that_went'"),
        ("ws_lambda/aws", "def client(service): raise LookupError(service)", "LookupError: sqs"),
        ("zappa/handler", "import werkzeug_that_went", "No module named 'werkzeug_that_went'"),
    ],
)
def test_modules_that_only_a_later_event_would_load(try_files: Try, path: str, text: str, said: str) -> None:
    with pytest.raises(ProvisioningError, match=rf"(?s)was not uploaded.*{said}"):
        try_files(door=DOOR, **{path: text})


def test_this_environment_lends_nothing(try_files: Try) -> None:
    with pytest.raises(ProvisioningError, match="No module named 'pytest'"):
        try_files(door="import pytest\n" + DOOR)


def test_lambdas_own_boto3_is_used_if_it_is_left_out_of_the_package(try_files: Try, tmp_path: Path) -> None:
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "boto3.py").write_text("")
    assert try_files(door="import boto3\n" + DOOR, borrowed=tmp_path / "runtime").connect == 401


def test_an_error_is_no_answer(try_files: Try) -> None:
    with pytest.raises(ProvisioningError, match="The connect event was answered with 500"):
        try_files(door='def handler(event, context):\n    print("why")\n    return {"statusCode": 500}')


def test_an_interpreter_that_dies_is_told_of(try_files: Try) -> None:
    with pytest.raises(ProvisioningError, match="exit code 3"):
        try_files(door="import os\nos._exit(3)")


def test_the_functions_variables_are_there(try_files: Try) -> None:
    checks = 'import os\nassert os.environ["GREETING"] == "hello"\nassert os.environ["AWS_LAMBDA_FUNCTION_NAME"]\n'
    assert try_files(door=checks + DOOR).connect == 401


def test_dynamodb_is_there_and_empty(try_files: Try) -> None:
    asks = """
import json, os, urllib.request

def ask(operation, body):
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL_DYNAMODB"], json.dumps(body).encode(), headers)
    return json.loads(urllib.request.urlopen(request).read())

assert ask("BatchGetItem", {"RequestItems": {"t": {}}}) == {"Responses": {"t": []}, "UnprocessedKeys": {}}
assert ask("Query", {})["Items"] == []
assert ask("TransactGetItems", {"TransactItems": [1, 2]}) == {"Responses": [{}, {}]}
assert ask("UpdateItem", {"Key": {"k": {"S": "x"}}, "ReturnValues": "ALL_NEW"})["Attributes"]["k"] == {"S": "x"}
assert ask("BatchWriteItem", {}) == {"UnprocessedItems": {}}
assert ask("PutItem", {}) == {}
"""
    found = try_files(door=asks + DOOR)
    assert found.calls == ("BatchGetItem", "Query", "TransactGetItems", "UpdateItem", "BatchWriteItem", "PutItem")
