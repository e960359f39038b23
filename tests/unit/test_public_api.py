"""The names that users import: few, all there, and what a release is called."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import ws_lambda

ROOT = Path(__file__).parents[2]
PUBLIC = {
    "ws_lambda": {"__version__"},
    "ws_lambda.views": {"WebSocketTokenView", "WebSocketView", "handler"},
    "ws_lambda.testing": {
        "ConnectRefused", "DynamoDBFaults", "InProcessGateway", "LambdaContext", "WebSocketTestClient",
        "WebSocketTestMixin", "connect_event", "decode_answer", "disconnect_event", "dynamodb_faults", "invoke",
        "message_event", "mint_token", "tables",
    },
    "ws_lambda.models": {
        "ALL_TABLES", "ApiGateway", "ChannelMembership", "ChannelMessage", "ChannelPermission", "DjangoSession",
        "FanoutJob", "RateLimit", "SessionQuerySet", "WebSocketSession", "WebSocketToken", "all_tables", "may_join",
    },
    "ws_lambda.delivery": {
        "CANCELLED", "CONDITION_FAILED", "MAX_BYTES", "NOT_OPEN_YET", "YOUNG_SECONDS", "Audience", "Broken", "Call",
        "Calls", "ChannelMembers", "ConnectionStatus", "DeliveryError", "DeliveryReport", "Everyone", "Failure",
        "Job", "KeyRange", "Listed", "OnProgress", "Progress", "Recipient", "Request", "Response", "Transport",
        "broadcast", "call_all", "check_open", "close", "connecting", "deadline", "encode", "hold_over", "inspect",
        "installed", "invocation_deadline", "recipients_of", "requeue", "roster", "seconds_left", "send", "slowed_to",
        "under_way", "using_transport", "worker_pace",
    },
    "ws_lambda.local": {"Faults", "Options"},
    "ws_lambda.housekeeping": {"GRACE", "Progress", "Pruned", "prune", "run"},
}  # fmt: skip
"""Removing one of these breaks somebody's code, and adding one is a promise."""


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names(module: str) -> None:
    found = import_module(module)
    assert set(found.__all__) == PUBLIC[module]
    assert all(hasattr(found, name) for name in found.__all__)


def test_the_version_is_the_distributions() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == ws_lambda.__version__


def test_imports_in_documents_are_public() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "project").rglob("*.py")]:
        for module, names in re.findall(r"^from (ws_lambda[\w.]*) import ([\w, ]+)$", page.read_text(), re.MULTILINE):
            public = PUBLIC.get(module, set(dir(import_module(module))) if module == "ws_lambda.exceptions" else set())
            assert {name.strip() for name in names.split(",")} <= public, f"{page.name} imports from {module}"
