"""The names that users import: few, all there, and what a release is called."""

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
        "ConnectRefused", "DynamoDBFaults", "InProcessGateway", "WebSocketTestClient", "WebSocketTestMixin",
        "dynamodb_faults", "tables",
    },
    "ws_lambda.models": {
        "ALL_TABLES", "ApiGateway", "ChannelMembership", "ChannelMessage", "ChannelPermission", "DjangoSession",
        "FanoutJob", "RateLimit", "SessionQuerySet", "WebSocketSession", "WebSocketToken", "all_tables",
    },
}  # fmt: skip
"""Removing one of these breaks somebody's code, and adding one is a promise."""


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names(module: str) -> None:
    found = import_module(module)
    assert set(found.__all__) == PUBLIC[module]
    assert all(hasattr(found, name) for name in found.__all__)


def test_the_version_is_the_distributions() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == ws_lambda.__version__
