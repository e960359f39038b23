"""`manage.py ws_permissions`: permissions are listed, set and removed, and members without a permission are removed."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests import backends
from ws_lambda import delivery
from ws_lambda.gatekeeping import eviction
from ws_lambda.models import ChannelPermission, WebSocketSession
from ws_lambda.models.batch_leaving import RemovalResult, leave_many
from ws_lambda.testing import connect_event, disconnect_event, invoke, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables")


@pytest.fixture(autouse=True)
def dropped(monkeypatch):
    closed = []
    monkeypatch.setattr(
        delivery, "close", lambda those: closed.extend(one.connection_id for one in those) or delivery.DeliveryReport()
    )
    return closed


def run(*arguments):
    out = StringIO()
    call_command("ws_permissions", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def members(channel):
    return sorted(one.connection_id for one in WebSocketSession.objects.filter(channel_name=channel))


@pytest.fixture
def two_in_a_team(user):
    backends.add("8", is_staff=True)
    invoke(connect_event("A=", token=mint_token(user), channel="team-red"))
    invoke(connect_event("B=", token=mint_token(backends.people["8"]), channel="team-red"))
    WebSocketSession.get("A=").join("lobby")


def test_a_description_stays_until_there_is_another():
    for given, kept in ((["--description", "Teams"], "Teams"), ([], "Teams"), (["--description", ""], "")):
        run("set", "team-*", "staff_only", *given)
        assert ChannelPermission.get("team-*").description == kept


def test_set_list_remove():
    assert "UNLISTED_CHANNELS" in run("list")
    run("set", "team-*", "permissions", "--rule", "chat.a,chat.b", "--rule", "chat.c", "--description", "Teams")
    run("set", "lobby", "allow_all")
    listed = run("list")
    assert "chat.a and chat.b or chat.c" in listed
    assert json.loads(run("list", "--json"))[1] == {
        "channel_name": "team-*",
        "access": "permissions",
        "rules": [["chat.a", "chat.b"], ["chat.c"]],
        "description": "Teams",
    }
    run("remove", "lobby")
    assert ChannelPermission.count() == 1


@pytest.mark.parametrize("pattern", ["team-red", "team-*", "*"])
def test_a_revoked_permission_puts_members_out(two_in_a_team, pattern, dropped):
    said = run("set", pattern, "staff_only")
    assert members("team-red") == ["B="]
    assert "A= left team-red" in said
    if pattern != "*":
        assert (members("lobby"), dropped) == (["A="], [])
        assert said.endswith("1 removed.\n")
    else:
        assert dropped == ["A="], "with no channel left, the client is told by its socket"
    assert WebSocketSession.get("B=").connected


def test_a_member_who_leaves_meanwhile_does_not_keep_others_in(two_in_a_team, monkeypatch):
    def leave_late(departures):
        invoke(disconnect_event("A="))
        return leave_many(departures)

    monkeypatch.setattr(eviction, "leave_many", leave_late)
    run("set", "team-red", "superuser_only")
    assert members("team-red") == []


def test_a_connection_that_cannot_be_removed_from_a_channel_is_closed(two_in_a_team, monkeypatch, dropped):
    def find_changed(departures):
        return RemovalResult(changed=list(departures))

    monkeypatch.setattr(eviction, "leave_many", find_changed)
    said = run("set", "team-red", "superuser_only")
    assert members("team-red") == members("lobby") == []
    assert sorted(dropped) == ["A=", "B="]
    assert said.count("disconnected") == 2


def test_members_can_be_kept_and_removed_later(two_in_a_team):
    run("set", "team-red", "staff_only", "--keep-members")
    assert members("team-red") == ["A=", "B="]
    run("evict", "team-red")
    assert members("team-red") == ["B="]


def test_removing_a_row_removes_members_that_unlisted_channels_refuses(two_in_a_team, settings):
    run("set", "team-red", "allow_all")
    settings.WS_LAMBDA = {"UNLISTED_CHANNELS": "nobody"}
    run("remove", "team-red")
    assert members("team-red") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "a b", "allow_all"),
        ("set", "", "allow_all"),
        ("set", "a*b", "allow_all"),
        ("set", "lobby", "everybody"),
        ("set", "lobby", "allow_all", "--rule", "chat.a"),
        ("remove", "unknown"),
        ("evict", "a\n"),
        (),
    ],
)
def test_wrong_usage(arguments):
    with pytest.raises(CommandError):
        run(*arguments)
    assert ChannelPermission.count() == 0
