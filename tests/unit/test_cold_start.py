"""What a cold start loads, in a process of its own: nothing that a `$connect` can do without, and nothing twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ws_lambda.provisioning.zappa import tryout
from ws_lambda.testing import connect_event

ROOT = Path(__file__).resolve().parents[2]
LATER = {
    "aiohttp",
    "apig_wsgi",
    "aws_lambda_powertools.utilities.batch",
    "aws_xray_sdk",
    "boto3",
    "pycurl",
    "requests",
    "ws_lambda.fanout",
    "ws_lambda.housekeeping",
    "ws_lambda.local",
    "ws_lambda.sources.management_command",
    "ws_lambda.sources.wsgi",
    "zappa",
}
"""What is imported where it is used: by the first broadcast, the first HTTP request, the schedule, or never."""

CONNECT = """
import gc, json, os, sys, types
from ws_lambda.lambda_handler import handler
loaded = set(sys.modules)

import botocore.session
from ws_lambda import aws

context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000)
assert handler(json.loads(os.environ["EVENT"]), context)["statusCode"] == 401
aws.client("sqs"), aws.client("apigatewayv2")
sessions = [one for one in gc.get_objects() if type(one) is botocore.session.Session]
sys.__stdout__.write("\\n" + json.dumps({
    "loaded": sorted(loaded), "by the connect": sorted(set(sys.modules) - loaded), "sessions": len(sessions)}))
"""


def on_lambda(script: str, path: Path | None = None, **variables: str) -> str:
    """Runs a script as a new environment of a function would; its last line."""
    given = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV", "PYTEST"))},
        "PYTHONPATH": os.pathsep.join(map(str, filter(None, [ROOT, path]))),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "AWS_LAMBDA_FUNCTION_NAME": "demo-dev",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        **variables,
    }
    done = subprocess.run([sys.executable, "-c", script], env=given, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("\n")[2]


def test_a_connect_loads_neither_the_sender_nor_zappa_and_makes_one_session() -> None:
    event = json.dumps(connect_event(token="0" * 64))
    with tryout._empty_dynamodb() as (url, calls):
        found = json.loads(on_lambda(CONNECT, AWS_ENDPOINT_URL_DYNAMODB=url, EVENT=event))
    assert calls
    assert LATER & {*found["loaded"], *found["by the connect"]} == set()
    ours = {name for name in found["by the connect"] if name.startswith("ws_lambda")}
    assert ours == set(), "the init phase has loaded what a connect needs"
    assert found["sessions"] == 1


def test_a_snapshot_is_taken_of_a_loaded_function_and_told_apart(tmp_path: Path) -> None:
    (tmp_path / "snapshot_restore_py.py").write_text(
        "hooks = []\nregister_before_snapshot = register_after_restore = lambda hook: hooks.append(hook.__name__)\n"
    )
    script = "import ws_lambda.lambda_handler, snapshot_restore_py as s; print(); print(*s.hooks, end='')"
    assert on_lambda(script, tmp_path, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") == "before_snapshot after_restore"


@pytest.mark.parametrize("broken", ["no.such.settings", "tests.no_such_module"])
def test_a_function_that_does_not_load_does_not_answer(broken: str) -> None:
    """Lambda fails every invocation of it, and API Gateway then refuses each `$connect`."""
    with pytest.raises(AssertionError, match="No module named"):
        on_lambda("import ws_lambda.lambda_handler", DJANGO_SETTINGS_MODULE=broken)
