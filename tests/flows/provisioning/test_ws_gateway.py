"""`manage.py ws_gateway`, as a person and as a program would use it."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.flows.provisioning.seen import apis, routes
from ws_lambda import aws
from ws_lambda.provisioning import lease
from ws_lambda.tables.gateways import ApiGateway


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("ws_gateway", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_create_makes_the_record_and_the_api(function: str) -> None:
    said = run(
        "create", "chat", "--function", function, "--tag", "team=web", "--throttling-rate=5", "--throttling-burst=9"
    )
    assert "WebSocket API … done\nRoutes and integrations … done\nDeployment and stage … done\n" in said
    record = ApiGateway.get("chat")
    assert record.tags == {"team": "web"}
    assert record.websocket_url in said
    assert len(apis()) == 1

    assert run("create", "chat").count("already there") == 3


def test_create_prints_json_for_programs(function: str) -> None:
    said = json.loads(run("create", "chat", "--function", function, "--json"))
    assert said["status"] == "deployed"
    assert said["api_id"] == apis()[0]["ApiId"]
    assert said["websocket_url"].startswith("wss://")


def test_create_does_not_change_an_existing_gateway(chat: ApiGateway) -> None:
    with pytest.raises(CommandError, match="already exists"):
        run("create", "chat", "--description", "Other")
    assert apis() == []


def test_a_bad_option_is_explained_and_nothing_is_kept() -> None:
    with pytest.raises(CommandError, match="lambda_function_arn: Enter the ARN"):
        run("create", "chat")
    assert ApiGateway.count() == 0


def test_a_tag_is_a_key_and_a_value() -> None:
    with pytest.raises(CommandError, match="not KEY=VALUE"):
        run("create", "chat", "--tag", "team")


def test_a_failure_is_told_and_resumed(chat: ApiGateway, fail_at: Any) -> None:
    fail_at.add("CreateRoute")
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"Routes and integrations: .*Slow down"):
        call_command("ws_gateway", "create", "chat", stdout=out)
    assert out.getvalue() == "WebSocket API … done\nRoutes and integrations … failed\n"
    assert "Slow down" in run("status", "chat")
    assert "Routes and integrations: An error occurred [...]" in run("status")
    fail_at.clear()
    said = run("create", "chat")
    assert "WebSocket API … already there\nRoutes and integrations … done" in said


def test_a_busy_gateway_has_its_own_exit_code(chat: ApiGateway) -> None:
    lease._take(lease.load("chat"))
    with pytest.raises(CommandError) as error:
        run("create", "chat")
    assert error.value.returncode == 3


def test_update_reaches_aws(chat: ApiGateway) -> None:
    run("create", "chat")
    run("update", "chat", "--description", "Other words", "--tag", "more=yes")
    [api] = apis()
    assert api["Description"] == "Other words"
    assert api["Tags"]["more"] == "yes"

    run("update", "chat", "--untag", "more", "--no-throttling", "--access-log", "")
    [api] = apis()
    assert "more" not in api["Tags"]
    stage = aws.client("apigatewayv2").get_stage(ApiId=api["ApiId"], StageName="production")
    assert (stage["DefaultRouteSettings"], "AccessLogSettings" in stage) == ({}, False)


def test_a_stage_that_is_made_keeps_its_name(chat: ApiGateway) -> None:
    run("create", "chat")
    with pytest.raises(CommandError, match="stage_name: AWS already uses 'production'"):
        run("update", "chat", "--stage", "live")
    assert ApiGateway.get("chat").stage_name == "production"


def test_differences_that_no_record_can_hold_are_reported(chat: ApiGateway) -> None:
    run("create", "chat")
    api_id = apis()[0]["ApiId"]
    aws.client("apigatewayv2").delete_route(ApiId=api_id, RouteId=routes(api_id)["$connect"]["RouteId"])
    said = json.loads(run("sync", "chat", "--from-aws", "--json"))
    assert (said["applied"], said["differences"]) == (True, [])
    assert [one["name"] for one in said["left"]] == ["route.$connect"]
    assert "A record cannot hold 1 of these differences" in run("sync", "chat", "--from-aws")


def test_a_refusal_of_aws_in_a_dry_run_is_reported_in_a_sentence(chat: ApiGateway, fail_at: Any) -> None:
    run("create", "chat")
    fail_at.add("GetRoutes")
    with pytest.raises(CommandError, match="Slow down"):
        run("sync", "chat")


def test_routes_come_and_go(chat: ApiGateway) -> None:
    run("create", "chat")
    assert "typing" in run("route", "add", "chat", "typing", "--target", "/ws/typing/")
    api_id = apis()[0]["ApiId"]
    assert "typing" in routes(api_id)
    run("route", "remove", "chat", "typing")
    assert "typing" not in routes(api_id)


def test_sync_shows_first_and_acts_when_told(chat: ApiGateway) -> None:
    run("create", "chat")
    assert run("sync", "chat") == "The record and AWS are equal.\n"
    record = ApiGateway.get("chat")
    record.api_description = "Edited"
    record.save()
    shown = run("sync", "chat", "--to-aws", "--dry-run")
    assert "api.description  Edited  Rooms" in shown
    assert "Nothing was changed" in shown
    assert apis()[0]["Description"] == "Rooms"
    assert json.loads(run("sync", "chat", "--json")) == {
        "applied": False,
        "differences": [{"name": "api.description", "record": "Edited", "aws": "Rooms"}],
        "left": [],
    }
    assert "AWS was changed." in run("sync", "chat", "--to-aws")
    assert apis()[0]["Description"] == "Edited"


def test_sync_from_aws_changes_the_record(chat: ApiGateway) -> None:
    run("create", "chat")
    record = ApiGateway.get("chat")
    record.api_description = "Edited"
    record.save()
    assert "The record was changed." in run("sync", "chat", "--from-aws")
    assert ApiGateway.get("chat").api_description == "Rooms"


def test_domain(named: ApiGateway) -> None:
    run("create", "chat")
    assert "wss://ws.example.com" in run("domain", "chat")


def test_status_of_nothing(ws_tables: list[str]) -> None:
    assert "No gateway is registered" in run("status")
    assert json.loads(run("status", "--json")) == []


def test_adopt_and_status(chat: ApiGateway) -> None:
    api_id = json.loads(run("create", "chat", "--json"))["api_id"]
    run("delete", "chat", "--keep-aws", "--yes")
    assert "adopted" in run("adopt", "again", api_id, "--default-channel", "general")
    shown = run("status")
    assert "again" in shown
    assert api_id in shown
    assert [one["api_name"] for one in json.loads(run("status", "--json"))] == ["again"]
    assert json.loads(run("status", "again", "--json"))["default_channel_name"] == "general"


def test_delete_asks_for_the_name(chat: ApiGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    run("create", "chat")
    for answer, said in (("no\n", "Nothing was deleted"), ("", "Add --yes to skip the question")):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        with pytest.raises(CommandError, match=said):
            run("delete", "chat")
    assert len(apis()) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("chat\n"))
    run("delete", "chat")
    assert apis() == []
    with pytest.raises(CommandError, match="no gateway named 'chat'"):
        run("status", "chat")
