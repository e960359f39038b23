"""Tables without CloudFormation."""

import io
import json
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSResponse
from django.core.management import CommandError, call_command

from tests import created_tables
from ws_lambda import aws
from ws_lambda.models import RateLimit, WebSocketSession
from ws_lambda.provisioning import dynamodb_tables
from ws_lambda.tables.shared_connection import connection

pytestmark = pytest.mark.usefixtures("no_tables")


def run(*args: str) -> str:
    out = StringIO()
    call_command("ws_tables", *args, stdout=out)
    return out.getvalue()


def test_create_makes_what_status_then_finds_right() -> None:
    with pytest.raises(CommandError, match="tables have problems"):
        run("status")
    assert f"{WebSocketSession.Meta.table_name}: created" in run("create")
    assert "already there" in run("create")
    states = list(dynamodb_tables.status())
    assert [state for state in states if not state.right] == []
    assert len(states) == len({state.name for state in states})


@pytest.mark.moto("the other engines have no backups")
def test_status_says_what_is_wrong_and_what_to_do() -> None:
    created_tables.create()
    name = RateLimit.Meta.table_name
    client = connection().client
    client.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": False}
    )
    client.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    sessions = WebSocketSession.Meta.table_name
    client.update_table(TableName=sessions, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "live"}}])
    wrong = {state.name: " ".join(state.wrong) for state in dynamodb_tables.status() if state.wrong}
    assert set(wrong) == {name, sessions}
    assert "TTL does not use expires_at" in wrong[name]
    assert "point-in-time recovery is off" in wrong[name]
    assert "the index live is missing: apply" in wrong[sessions]
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("ws_tables", "status", "--json", stdout=out)
    assert {one["name"] for one in json.loads(out.getvalue()) if one["wrong"]} == {name, sessions}
    run("create")
    assert [state.name for state in dynamodb_tables.status() if state.wrong] == [sessions], (
        "TTL and recovery are on again"
    )


@pytest.mark.moto("the other engines have no backups")
def test_create_waits_until_a_new_table_can_have_backups(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS takes some seconds for it, and refuses to be hurried."""
    monkeypatch.setattr("ws_lambda.retrying.time.sleep", lambda _seconds: None)
    early = iter([True, True])
    aws.forget()

    def refuse(**_kwargs: object) -> AWSResponse | None:
        if not next(early, False):
            return None
        kind = "com.amazonaws.dynamodb.v20120810#ContinuousBackupsUnavailableException"
        answer = AWSResponse("https://dynamodb.eu-west-1.amazonaws.com", 400, {}, None)
        answer._content = json.dumps({"__type": kind, "message": "Backups are being enabled for the table"}).encode()
        return answer

    aws.session().register("before-send.dynamodb.UpdateContinuousBackups", refuse)
    try:
        run("create")
        assert [state.name for state in dynamodb_tables.status() if not state.right] == []
        assert next(early, None) is None
    finally:
        aws.forget()


def test_delete_asks_first() -> None:
    created_tables.create()
    with patch("sys.stdin", io.StringIO("no\n")), pytest.raises(CommandError, match="Nothing was deleted"):
        run("delete")
    assert WebSocketSession.exists()
    with patch("sys.stdin", io.StringIO("ws_lambda_\n")):
        assert "deleted" in run("delete")
    assert not WebSocketSession.exists()
    assert "was not there" in run("delete", "--yes")


def test_delete_asks_for_a_word_where_there_is_no_prefix(settings: Any) -> None:
    settings.WS_LAMBDA = {"TABLE_PREFIX": ""}
    run("create")
    with patch("sys.stdin", io.StringIO("\n")), pytest.raises(CommandError, match="Nothing was deleted"):
        run("delete")
    assert WebSocketSession.exists()
    with patch("sys.stdin", io.StringIO("everything\n")):
        assert "deleted" in run("delete")
