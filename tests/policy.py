"""A pytest plugin: every call to AWS that the code makes is one that `serverless_config/iam` allows, and the reverse.

A call that no policy allows fails the test that made it. An action that no test of a whole run made fails the run.
With xdist each worker gathers, and the controller judges.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ws_lambda import aws
from ws_lambda.delivery.connection_requests import ConnectionRequests

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, TESTS = str(ROOT / "ws_lambda"), (str(ROOT / "tests"), str(ROOT / "ws_lambda" / "testing"))
"""The test kit is a test's own code: it makes the tables that a deployment has."""

DOOR = f"{PACKAGE}/lambda_handler.py"
OPERATOR = tuple(f"{PACKAGE}/{room}/" for room in ("provisioning", "management", "local", "admin"))
"""Code that a person or a deployment runs, with the rights of `gateways.json` or `deploy.json`."""

PLUMBING = (f"{PACKAGE}/aws.py", f"{PACKAGE}/tables/shared_connection.py")
"""Frames that every call has, whoever makes it."""

MADE_BY_AWS = frozenset(
    {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
    }
)
"""What the Lambda service does with the function's role: its log, and the event source mapping's polling."""

BY_API_GATEWAY = frozenset({"iam:CreateServiceLinkedRole"})
"""What the first custom domain of an account needs besides: API Gateway makes its own role with the caller's rights."""

_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
_seen: dict[str, set[str]] = {"function": set(), "operator": set(), "deployer": set()}


def deployer_needs(needed: set[str]) -> None:
    """Told by the end-to-end test: what Zappa, CloudFormation and the commands need of `deploy.json` all together."""
    _seen["deployer"] |= needed


def allowed(name: str) -> frozenset[str]:
    """The actions of one policy file."""
    document = json.loads((ROOT / "serverless_config" / "iam" / name).read_text())
    return frozenset(action for statement in document["Statement"] for action in statement["Action"])


def actions(service: str, operation: str, request: dict[str, Any]) -> set[str]:
    """The IAM actions that an API operation needs."""
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            items = json.loads(request["body"])["TransactItems"]
            return {f"dynamodb:{_TRANSACTED[kind]}" for item in items for kind in item}
        case "dynamodb", "TransactGetItems":
            return {"dynamodb:GetItem"}
        case "sqs", _:
            return {f"sqs:{operation.removesuffix('Batch')}"}
        case "apigatewayv2", "TagResource":
            # The request is a POST, which the policy must allow. But AWS's list of actions has tags only under PUT.
            return {"apigateway:POST", "apigateway:PUT"}
        case "apigatewayv2", _:
            return {f"apigateway:{request['method']}"}
    return {f"{service}:{operation}"}


def whose() -> str:
    """Who makes the current call: "function", "operator", or "" for a test itself."""
    frame = sys._getframe(2)
    found = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if name == DOOR:  # below it the test kit drives the local gateway, which is no operator then
            return "function"
        if name.startswith(OPERATOR):
            return "operator"
        if not found and name.startswith((PACKAGE, *TESTS)) and not name.startswith((*PLUMBING, __file__)):
            if name.startswith(TESTS):
                return ""
            found = "function"
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _record(model: Any, params: dict[str, Any], **_kwargs: Any) -> None:
    if caller := whose():
        _seen[caller] |= actions(model.service_model.service_name, model.name, params)


@pytest.fixture(autouse=True, scope="session")
def _recording() -> Iterator[None]:
    """Watches the package's own botocore sessions, and its own signer."""
    with pytest.MonkeyPatch.context() as patch:
        session, request = aws.session, ConnectionRequests.request

        def watched_session() -> Any:
            found = session()
            found.register("before-call", _record, unique_id="tests.policy")
            # The kit answers most requests in a handler of this event. Handlers of "before-call" are not called then.
            events = found.get_component("event_emitter")
            events.register_first("before-call.dynamodb", _record, unique_id="tests.policy.dynamodb")
            return found

        def watched_request(self: ConnectionRequests, *args: Any, **kwargs: Any) -> Any:
            _seen["function"].add("execute-api:ManageConnections")
            return request(self, *args, **kwargs)

        patch.setattr(aws, "session", watched_session)
        patch.setattr(ConnectionRequests, "request", watched_request)
        yield


@pytest.fixture(autouse=True)
def _calls_are_allowed(_recording: None) -> Iterator[None]:
    yield
    function = _seen["function"] - allowed("function.json")
    operator = _seen["operator"] - allowed("function.json") - allowed("gateways.json") - allowed("deploy.json")
    if function or operator:
        _seen["function"] -= function
        _seen["operator"] -= operator
        pytest.fail(f"No policy in serverless_config/iam allows {', '.join(sorted(function | operator))}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it saw; where there are none, the run is judged here."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["aws_actions"] = {name: sorted(found) for name, found in _seen.items()}
    else:
        _judge(session)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """The controller takes over what a worker saw."""
    for name, found in getattr(node, "workeroutput", {}).get("aws_actions", {}).items():
        _seen[name].update(found)


def _judge(session: pytest.Session) -> None:
    config = session.config
    whole = config.args == config.getini("testpaths") and not (config.option.keyword or config.option.markexpr)
    if not whole or session.exitstatus != 0:
        return
    unused = allowed("function.json") - _seen["function"] - MADE_BY_AWS
    unused |= allowed("gateways.json") - _seen["operator"] - BY_API_GATEWAY
    if _seen["deployer"]:  # not where the end-to-end test had to be skipped
        unused |= allowed("deploy.json") - _seen["deployer"] - _seen["operator"]
    if unused:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(
                f"serverless_config/iam grants what nothing uses: {', '.join(sorted(unused))}", red=True
            )
