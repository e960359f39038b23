"""Losing a right while the socket is open, by users of `ws_lambda.users` and by SQL users in a project of their own."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model

from ws_lambda import housekeeping
from ws_lambda.models import ChannelPermission
from ws_lambda.testing import InProcessGateway, WebSocketTestClient


class Member:
    """A user in `general`, and in one more channel that their permission admits them to."""

    def __init__(self, name: str, channel: str, **rights: Any) -> None:
        self.user = get_user_model().objects.create_user(name, password="pw", **rights)
        self.channel = channel

    def enter(self) -> "Member":
        self.socket = WebSocketTestClient(user=self.user, channel="general").connect()
        self.socket.session.join(self.channel)
        return self

    @property
    def channels(self) -> set[str]:
        """Where the connection is."""
        return set(self.socket.session.channels or ())

    def lost(self) -> bool:
        """Whether the channel is lost, and nothing else."""
        assert self.socket.connected
        return self.channels == {"general"}


def listed() -> None:
    """Stores the permissions of the channels in the story."""
    ChannelPermission("staff", access="staff_only").save()
    ChannelPermission("root", access="superuser_only").save()
    ChannelPermission("bans", access="permissions", rules=[["chat.ban"]]).save()


def story(gateway: InProcessGateway, unsignalled: Callable[[Any], object]) -> None:
    """Staff and superuser, by a save and by a silent change.

    Args:
        unsignalled: takes both from a user in a way that Django sends no signal for.
    """
    listed()
    for flag, channel in (("is_staff", "staff"), ("is_superuser", "root")):
        for fields in (None, [flag]):
            member = Member(f"{channel}{bool(fields)}", channel, **{flag: True}).enter()
            member.user.save(update_fields=fields)
            assert not member.lost(), "a save that takes nothing away"
            setattr(member.user, flag, False)
            member.user.save(update_fields=fields)
            assert member.lost(), (flag, fields)

    member = Member("spoken", "root", is_superuser=True).enter()
    unsignalled(member.user)
    member.socket.send_json({"action": "chat"})
    assert not member.lost(), "asked once in REVALIDATE_USER_SECONDS"
    gateway.advance(61)
    member.socket.send_json({"action": "chat"})
    assert member.lost()

    member = Member("silent", "staff", is_staff=True).enter()
    unsignalled(member.user)
    gateway.advance(61)
    assert housekeeping.run().removed == 1
    assert member.lost()

    member = Member("alone", "staff", is_staff=True)
    member.socket = WebSocketTestClient(user=member.user, channel="staff").connect()
    member.user.is_staff = False
    member.user.save()
    assert (member.socket.connected, member.socket.close_code) == (False, 1000), "it was in no other channel"


def names_story(users: Any) -> None:
    """Groups and permissions that are fields of the user."""
    from django.test import override_settings

    member = Member("permitted", "bans", permission_names={"chat.ban"}).enter()
    member.user.permission_names = set()
    member.user.save(update_fields=["permission_names"])
    assert member.lost()
    with override_settings(WS_LAMBDA={"GROUP_PERMISSIONS": {"moderators": ["chat.ban"]}}):
        member = Member("grouped", "bans", group_names={"moderators"}).enter()
        member.user.group_names = set()
        member.user.save()
        assert member.lost()


SQL_SETTINGS = """
from tests.settings import *

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "ws_lambda"]
AUTH_USER_MODEL = "auth.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
ROOT_URLCONF = "site_urls"
"""

SQL_URLS = """
from django.urls import include, path
from ws_lambda.views import WebSocketView

class ChatView(WebSocketView):
    def chat(self, request, *args, **kwargs):
        return {}

urlpatterns = [path("ws/<slug:route>", ChatView.as_view()), path("", include("ws_lambda.urls"))]
"""

SQL_PROGRAM = """
import warnings

warnings.simplefilter("error")
import django

django.setup()
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import transaction
from tests.security.rights_story import Member, story
from ws_lambda.models import ChannelPermission
from ws_lambda.testing import InProcessGateway, tables

call_command("migrate", verbosity=0)
kind = ContentType.objects.get_for_model(User)


def permission():
    return Permission.objects.get_or_create(codename="ban", content_type=kind)[0]


def member(name, *, group=None, own=False):
    one = Member(name, "bans")
    if group:
        one.user.groups.add(group)
    if own:
        one.user.user_permissions.add(permission())
    return one.enter()


def moderators():
    group = Group.objects.get_or_create(name="moderators")[0]
    group.permissions.add(permission())
    return group


LOSSES = {
    "own_removed": (dict(own=True), lambda one: one.user.user_permissions.remove(permission())),
    "own_set": (dict(own=True), lambda one: one.user.user_permissions.set([])),
    "own_cleared": (dict(own=True), lambda one: one.user.user_permissions.clear()),
    "own_removed_there": (dict(own=True), lambda one: permission().user_set.remove(one.user)),
    "own_cleared_there": (dict(own=True), lambda one: permission().user_set.clear()),
    "own_deleted": (dict(own=True), lambda one: permission().delete()),
    "group_removed": (dict(group=True), lambda one: one.user.groups.remove(moderators())),
    "group_cleared": (dict(group=True), lambda one: one.user.groups.clear()),
    "group_removed_there": (dict(group=True), lambda one: moderators().user_set.remove(one.user)),
    "group_cleared_there": (dict(group=True), lambda one: moderators().user_set.clear()),
    "group_deleted": (dict(group=True), lambda one: moderators().delete()),
    "groups_permission_removed": (dict(group=True), lambda one: moderators().permissions.remove(permission())),
    "groups_permissions_cleared": (dict(group=True), lambda one: moderators().permissions.clear()),
    "groups_permission_removed_there": (dict(group=True), lambda one: permission().group_set.remove(moderators())),
    "groups_permission_cleared_there": (dict(group=True), lambda one: permission().group_set.clear()),
    "groups_permission_deleted": (dict(group=True), lambda one: permission().delete()),
}

with tables(), InProcessGateway() as gateway:
    story(gateway, lambda user: User.objects.filter(pk=user.pk).update(is_staff=False, is_superuser=False))
    permission()
    ChannelPermission("bans", access="permissions", rules=[["auth.ban"]]).save()
    bystander = member("bystander", own=True)
    for name, (rights, lose) in LOSSES.items():
        if "deleted" not in name and "own_cleared_there" != name:
            assert not bystander.lost()
        one = member(name, group=moderators() if rights.get("group") else None, own=rights.get("own", False))
        lose(one)
        assert one.lost(), name
        permission()
        if not bystander.user.user_permissions.exists():
            bystander.user.user_permissions.add(permission())
            bystander.socket.session.join("bans")

    one = member("in_a_transaction", group=moderators())
    with transaction.atomic():
        moderators().user_set.clear()
        assert not one.lost(), "until the end a reconnect would find the user as before"
    assert one.lost()
print("done")
"""
