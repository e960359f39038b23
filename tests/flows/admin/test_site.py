"""The admin without SQL: logging in, the index, permissions, the log of actions."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from tests.flows.admin.conftest import logged_in, person, said, session
from ws_lambda import delivery
from ws_lambda.admin import model_admin
from ws_lambda.gatekeeping import eviction
from ws_lambda.models import ChannelMembership, ChannelPermission
from ws_lambda.tables.admin_log import AdminAction

LISTS = ("apigateway", "websocketsession", "channelpermission", "ratelimit", "websockettoken")
PAGES = (*LISTS, "liveoverview")


def test_logging_in_through_the_admins_own_page(admin_tables: list[str]) -> None:
    person("root", is_superuser=True)
    client = Client()
    assert client.get("/admin/").status_code == 302
    answer = client.post("/admin/login/?next=/admin/", {"username": "root", "password": "pw"}, follow=True)
    assert answer.status_code == 200
    for page in PAGES:
        assert f'href="/admin/ws_lambda/{page}/"' in answer.content.decode()
    assert "None available" in answer.content.decode()


@pytest.mark.parametrize("page", LISTS)
def test_every_page_opens_empty(root: Client, page: str) -> None:
    answer = root.get(f"/admin/ws_lambda/{page}/")
    assert answer.status_code == 200
    assert "0 " in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_permission_see_nothing(admin_tables: list[str], page: str) -> None:
    person("clerk")
    client = logged_in("clerk")
    assert client.get(f"/admin/ws_lambda/{page}/").status_code == 403
    assert "API gateways" not in client.get("/admin/").content.decode()


def test_people_who_are_not_staff_are_asked_to_log_in(admin_tables: list[str]) -> None:
    person("guest", is_staff=False, is_superuser=True)
    assert logged_in("guest").get("/admin/ws_lambda/apigateway/").status_code == 302


def test_a_permission_opens_one_page_to_look_at(admin_tables: list[str]) -> None:
    person("clerk", permission_names=["ws_lambda.view_channelpermission"])
    client = logged_in("clerk")
    ChannelPermission("general", access="permissions", rules=[["chat.see", "chat.say"], ["chat.all"]]).save()
    assert "general" in client.get("/admin/ws_lambda/channelpermission/").content.decode()
    shown = client.get("/admin/ws_lambda/channelpermission/general/change/").content.decode()
    assert 'name="_save"' not in shown
    assert "chat.see and chat.say or chat.all" in shown
    assert (
        client.post("/admin/ws_lambda/channelpermission/general/change/", {"access": "staff_only"}).status_code == 403
    )
    assert client.get("/admin/ws_lambda/channelpermission/add/").status_code == 403
    assert client.post("/admin/ws_lambda/channelpermission/general/delete/", {"post": "yes"}).status_code == 403
    assert ChannelPermission.get("general").access == "permissions"


NEW = {"channel_name": "team_*", "access": "permissions", "rules": "chat.view_room chat.add_message\nchat.moderate"}


def test_a_channel_permission_is_added_changed_and_deleted_and_all_of_it_is_logged(root: Client) -> None:
    answer = root.post("/admin/ws_lambda/channelpermission/add/", NEW, follow=True)
    assert said(answer) == [
        'The channel permission “<a href="/admin/ws_lambda/channelpermission/team_5F%2A/change/">team_*</a>” '
        "was added successfully."
    ]
    row = ChannelPermission.get("team_*")
    assert [list(rule) for rule in row.rules] == [["chat.view_room", "chat.add_message"], ["chat.moderate"]]
    assert "chat.view_room and chat.add_message or chat.moderate" in answer.content.decode()

    page = "/admin/ws_lambda/channelpermission/team_*/"
    shown = root.get(page + "change/").content.decode()
    assert "chat.view_room chat.add_message\nchat.moderate" in shown
    root.post(page + "change/", {"access": "staff_only", "rules": "", "description": "Staff"})
    row = ChannelPermission.get("team_*")
    assert (row.access, list(row.rules), row.description) == ("staff_only", [], "Staff")

    history = root.get(page + "history/").content.decode()
    assert "Added." in history
    assert "Changed Access, Rules and Description." in history
    assert "root" in history

    answer = root.post(page + "delete/", {"post": "yes"}, follow=True)
    assert "was deleted successfully" in said(answer)[0]
    assert ChannelPermission.count() == 0
    index = root.get("/admin/").content.decode()
    assert index.count("team_*") == 3
    assert 'class="deletelink"' in index
    assert AdminAction.count() == 3


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"channel_name": "a b"}, "one * at the end"),
        ({"channel_name": "a*b"}, "one * at the end"),
        ({"rules": "view_room"}, "is not a permission"),
        ({"access": "everyone"}, "Select a valid choice"),
    ],
)
def test_a_channel_permission_is_checked(root: Client, wrong: dict[str, str], why: str) -> None:
    answer = root.post("/admin/ws_lambda/channelpermission/add/", {**NEW, **wrong})
    assert answer.status_code == 200
    assert why in answer.content.decode()
    assert ChannelPermission.count() == 0


def test_trouble_with_dynamodb_is_told_with_what_to_do(root: Client) -> None:
    ChannelPermission.delete_table()
    answer = root.post("/admin/ws_lambda/channelpermission/add/", NEW)
    assert answer.status_code == 302
    assert "`manage.py ws_tables create` creates them" in said(root.get("/admin/"))[0]


def test_adding_an_existing_permission_changes_nothing(root: Client) -> None:
    ChannelPermission("team_*", access="staff_only").save()
    answer = root.post("/admin/ws_lambda/channelpermission/add/", NEW)
    shown = answer.content.decode()
    assert "There is already a permission for this channel." in shown
    assert "chat.view_room chat.add_message" in shown
    assert ChannelPermission.get("team_*").access == "staff_only"


def test_of_two_who_add_the_same_one_wins_and_the_other_is_told(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(name: str) -> int:
        ChannelPermission(name, access="staff_only").save()
        return 0  # as it was when the form looked

    monkeypatch.setattr(ChannelPermission, "count", meanwhile)
    answer = root.post("/admin/ws_lambda/channelpermission/add/", NEW, follow=True)
    assert said(answer) == ["There is already a permission for 'team_*'."]
    assert ChannelPermission.get("team_*").access == "staff_only"


def test_a_password_is_changed_through_the_admins_own_page(root: Client) -> None:
    page = "/admin/password_change/"
    new = {"new_password1": "a new one for root", "new_password2": "a new one for root"}
    assert "was entered incorrectly" in root.post(page, {"old_password": "wrong", **new}).content.decode()
    assert root.post(page, {"old_password": "pw", **new}, follow=True).status_code == 200
    assert root.get("/admin/").status_code == 200
    assert Client().login(username="root", password="a new one for root")


def test_several_are_deleted_at_once(root: Client) -> None:
    for name in ("a", "b", "c"):
        ChannelPermission(name, access="allow_all").save()
    chosen = {"action": "delete_selected", "_selected_action": ["a", "c"]}
    asked = root.post("/admin/ws_lambda/channelpermission/", {**chosen, "index": "0"})
    assert "Are you sure" in asked.content.decode()
    answer = root.post("/admin/ws_lambda/channelpermission/", {**chosen, "post": "yes"}, follow=True)
    assert said(answer) == ["Successfully deleted 2 channel permissions."]
    assert [row.channel_name for row in ChannelPermission.scan()] == ["b"]


def test_a_missing_permission_is_reported_as_gone(root: Client) -> None:
    answer = root.get("/admin/ws_lambda/channelpermission/nowhere/change/", follow=True)
    assert "doesn’t exist. Perhaps it was deleted?" in said(answer)[0]


def test_a_search_finds_the_exact_name(root: Client) -> None:
    for name in ("room_a", "room_b"):
        ChannelPermission(name, access="allow_all").save()
    shown = root.get("/admin/ws_lambda/channelpermission/?q=room_b").content.decode()
    assert "room_b" in shown
    assert "room_a" not in shown


def test_an_unknown_filter_leads_back_to_the_list(root: Client) -> None:
    answer = root.get("/admin/ws_lambda/channelpermission/?colour=red")
    assert answer.url == "/admin/ws_lambda/channelpermission/?e=1"


def test_members_whom_a_change_no_longer_admits_are_removed(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    def close(recipients: Any) -> delivery.DeliveryReport:
        closed.extend(one.connection_id for one in recipients)
        return delivery.DeliveryReport(sent=1)

    monkeypatch.setattr(delivery, "close", close)
    backend = settings.AUTHENTICATION_BACKENDS[0]
    person("clerk", is_staff=True)
    for connection_id, user_id in (("A=", "clerk"), ("B=", None)):
        row = session(
            connection_id, channels={"team_red"}, channel_name="team_red", user_id=user_id, auth_backend=backend
        )
        ChannelMembership.of(row, "team_red").save()
    root.post("/admin/ws_lambda/channelpermission/add/", {"channel_name": "team_*", "access": "allow_all", "rules": ""})
    assert closed == []
    page = "/admin/ws_lambda/channelpermission/team_*/"
    root.post(page + "change/", {"access": "staff_only", "rules": ""})
    assert (closed, [row.connection_id for row in ChannelMembership.query("team_red")]) == (["B="], ["A="])
    with override_settings(WS_LAMBDA={"UNLISTED_CHANNELS": "nobody"}):
        root.post(page + "delete/", {"post": "yes"})
    assert (closed, ChannelMembership.count()) == (["B=", "A="], 0)


def test_members_whose_own_rights_have_changed_are_removed_on_request(root: Client) -> None:
    """As `ws_permissions evict` does."""
    ChannelPermission("general", access="staff_only").save()
    clerk = person("clerk", is_staff=True)
    for connection_id, user in (("C1=", get_user_model().objects.get(username="root")), ("C2=", clerk)):
        row = session(
            connection_id,
            channels={"general"},
            channel_name="general",
            user_id=user.pk,
            auth_backend=settings.AUTHENTICATION_BACKENDS[0],
            auth_hash=user.get_session_auth_hash(),
        )
        ChannelMembership.of(row, "general").save()
    clerk.is_staff = False
    clerk.save()
    page = "/admin/ws_lambda/channelpermission/"
    answer = root.post(page, {"action": "remove_members", "_selected_action": ["general"], "index": "0"}, follow=True)
    assert said(answer) == ["Channel general: 1 removed, 1 of them disconnected."]
    assert [row.connection_id for row in ChannelMembership.query("general")] == ["C1="]
    assert "Removed 1 members." in root.get(page + "general/history/").content.decode()


def test_the_page_says_how_many_were_removed_and_what_is_left(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "close", lambda _recipients: delivery.DeliveryReport())
    monkeypatch.setattr(eviction, "PAGE", 2)
    for number in range(5):
        row = session(f"C{number}=", channels={"general"}, channel_name="general")
        ChannelMembership.of(row, "general").save()
    page = "/admin/ws_lambda/channelpermission/"
    fields = {"channel_name": "general", "access": "staff_only", "rules": ""}

    with monkeypatch.context() as patch:
        patch.setattr(model_admin, "ANSWER_SECONDS", eviction.GRACE)
        added = said(root.post(page + "add/", fields, follow=True))
    assert added[0] == (
        "Channel general: 2 removed, 2 of them disconnected; the time was up, and the schedule will remove the rest."
    )
    assert ChannelMembership.count("general") == 3
    saved = said(root.post(page + "general/change/", fields | {"access": "superuser_only"}, follow=True))
    assert saved[0] == "Channel general: 3 removed, 3 of them disconnected."
    again = said(root.post(page + "general/change/", fields, follow=True))
    assert [one for one in again if "removed" in one] == [], "nobody was"
