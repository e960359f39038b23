"""Commands when AWS cannot be reached, refuses, or lacks a table: one line, with advice."""

import io
import os
import traceback
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from pynamodb.exceptions import PynamoDBException

from ws_lambda import aws
from ws_lambda.models import WebSocketSession
from ws_lambda.provisioning import aws_errors
from ws_lambda.tables import shared_connection

READING = [
    ("ws_sessions", "list"),
    ("ws_send", "--all", "{}"),
    ("ws_send", "--channel", "general", "{}"),
    ("ws_permissions", "list"),
    ("ws_gateway", "status"),
    ("ws_gateway", "status", "chat"),
    ("ws_prune",),
]


def complaint(*arguments: str) -> str:
    with pytest.raises(CommandError) as failed:
        call_command(*arguments, stdout=io.StringIO(), stderr=io.StringIO())
    assert "\n" not in str(failed.value)
    return str(failed.value)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment that says nothing of AWS, and no connection from before."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    forget()
    yield monkeypatch
    forget()


def forget() -> None:
    aws.forget()
    shared_connection.forget_connection()


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_missing_table(no_tables: None, command: tuple[str, ...]) -> None:
    said = complaint(*command)
    assert "A table of this project does not exist in DynamoDB in eu-west-1" in said
    assert "`manage.py ws_tables create`" in said


def test_code_that_meets_a_missing_table_is_told_too(no_tables: None) -> None:
    with pytest.raises(PynamoDBException) as failed:
        WebSocketSession.objects.get(connection_id="A=")
    assert "ws_tables create" in "".join(traceback.format_exception(failed.value))


@pytest.mark.parametrize("command", [*READING, ("ws_tables", "status"), ("ws_tables", "create")], ids=" ".join)
def test_no_region(bare: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    assert "Set AWS_REGION" in complaint(*command)


def test_no_credentials(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_REGION", "eu-west-1")
    assert "AWS_ACCESS_KEY_ID" in complaint("ws_sessions", "list")


def test_no_way_there(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_REGION", "eu-west-1")
    bare.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    bare.setenv("AWS_ACCESS_KEY_ID", "x")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "y")
    for command in (("ws_sessions", "list"), ("ws_tables", "status")):
        said = complaint(*command)
        assert "http://127.0.0.1:1" in said
        assert "Check the network" in said


def test_a_setting_that_will_not_do(no_tables: None, settings: object) -> None:
    settings.WS_LAMBDA = {"NO_SUCH_KEY": 1}  # type: ignore[attr-defined]
    assert "NO_SUCH_KEY" in complaint("ws_sessions", "list")


@pytest.mark.parametrize(
    ("code", "advised"),
    [("ExpiredTokenException", "Renew"), ("AccessDeniedException", "deploy.json"), ("ValidationException", "")],
)
def test_a_refusal_keeps_its_own_words(code: str, advised: str) -> None:
    said = aws_errors.explained(ClientError({"Error": {"Code": code, "Message": "No."}}, "Query"))
    assert code in said
    assert advised in said
    assert ".." not in said


@pytest.mark.parametrize(
    "command", [("ws_tables", "delete"), ("ws_sessions", "disconnect", "--everybody")], ids=" ".join
)
def test_a_question_that_nobody_answers(
    ws_tables: list[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert "--yes" in complaint(*command)
