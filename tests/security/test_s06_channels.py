"""S6: a channel is authorised on connect, join and change. docs/contract.md 22, 23."""

from contextlib import contextmanager
from io import StringIO

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command

from tests import backends
from tests.urls import ChatView
from ws_lambda import delivery
from ws_lambda.models import ChannelMembership, ChannelPermission, WebSocketSession, channel_permissions
from ws_lambda.models.channel_permissions import may_join
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables")


def permit(channel_name, access, rules=()):
    ChannelPermission(channel_name, access=access, rules=[list(rule) for rule in rules]).save()
    channel_permissions.forget_cache()


@pytest.fixture
def everybody(people):
    return {
        "anonymous": AnonymousUser(),
        "plain": backends.add("1"),
        "holder": backends.add("2", granted={"chat.a", "chat.b"}),
        "half": backends.add("3", granted={"chat.a"}),
        "other": backends.add("4", granted={"chat.c"}),
        "staff": backends.add("5", is_staff=True),
        "superuser": backends.add("6", is_superuser=True),
        "inactive": backends.add("8", granted={"chat.a", "chat.b", "chat.c"}, is_active=False, is_staff=True),
    }


RULES = [["chat.a", "chat.b"], ["chat.c"]]
EVERYONE = {"anonymous", "plain", "holder", "half", "other", "staff", "superuser", "inactive"}


@pytest.mark.parametrize(
    ("access", "rules", "admitted"),
    [
        ("allow_all", (), EVERYONE),
        ("staff_only", (), {"staff", "superuser"}),
        ("superuser_only", (), {"superuser"}),
        ("permissions", RULES, {"holder", "other", "superuser"}),
        ("permissions", (), {"superuser"}),
        ("permissions", [[]], {"superuser"}),
        ("everybody", RULES, set()),
        ("", (), set()),
    ],
)
def test_22_access_levels(everybody, access, rules, admitted):
    permit("room", access, rules)
    assert {name for name, user in everybody.items() if may_join(user, "room")} == admitted


@pytest.mark.parametrize(
    ("setting", "admitted"),
    [
        ("anyone", EVERYONE),
        ("authenticated", EVERYONE - {"anonymous", "inactive"}),
        ("nobody", set()),
    ],
)
def test_unlisted_channels(everybody, settings, setting, admitted):
    settings.WS_LAMBDA = {"UNLISTED_CHANNELS": setting}
    assert {name for name, user in everybody.items() if may_join(user, "room")} == admitted


def test_an_exact_name_beats_a_prefix_and_a_longer_prefix_a_shorter_one(everybody):
    permit("*", "superuser_only")
    permit("team-*", "staff_only")
    permit("team-red-*", "allow_all")
    permit("team-red-board", "permissions", [["chat.c"]])
    plain, staff, other = everybody["plain"], everybody["staff"], everybody["other"]
    assert [may_join(plain, name) for name in ("x", "team-blue", "team-red-1", "team-red-board")] == [
        False,
        False,
        True,
        False,
    ]
    assert may_join(staff, "team-blue")
    assert not may_join(staff, "team-red-board")
    assert may_join(other, "team-red-board")


def test_a_process_keeps_its_copy_for_a_bounded_time(everybody, ws_requests, monkeypatch):
    from ws_lambda import clock

    start = clock.now()
    assert may_join(everybody["plain"], "room")
    ChannelPermission("room", access="staff_only").save()
    ws_requests.clear()
    assert may_join(everybody["plain"], "room")
    assert ws_requests == []
    monkeypatch.setattr(clock, "now", lambda: start + 31)
    assert not may_join(everybody["plain"], "room")
    assert ws_requests == ["Scan"]


def test_a_refused_channel_at_connect(user):
    permit("admin", "staff_only")
    assert invoke(connect_event(token=mint_token(user), channel="admin"))["statusCode"] == 403
    assert list(ChannelMembership.query("admin")) == []


class Movable(ChatView):
    ADDITIONAL_ALLOWED_HANDLERS = ["change_channel"]


class Joining(ChatView):
    def enter(self, request, *args, **kwargs):
        self.websocket_session.join(self.body["channel"])
        return {"joined": self.body["channel"]}


def test_23_clients_change_channel_only_where_the_view_allows_it(user, use_view):
    invoke(connect_event(token=mint_token(user), channel="general"))
    change = {"action": "change_channel", "channel": "other"}
    assert decode_answer(invoke(message_event(change)))[1] == {"handler": "default"}
    use_view(Movable)
    assert decode_answer(invoke(message_event(change))) == (200, {"channel": "other"})
    assert list(ChannelMembership.query("general")) == []
    assert WebSocketSession.get("C1=").channels == {"other"}


@pytest.mark.parametrize(
    ("channel", "status"), [("admin", 403), ("room\n", 400), ("", 400), (5, 400), (["a"], 400), (None, 400)]
)
def test_23_and_pass_the_same_checks(user, use_view, channel, status):
    permit("admin", "staff_only")
    use_view(Movable)
    invoke(connect_event(token=mint_token(user), channel="general"))
    code, _said = decode_answer(invoke(message_event({"action": "change_channel", "channel": channel})))
    assert code == status
    assert WebSocketSession.get("C1=").channels == {"general"}


def test_join_inside_a_handler_is_checked_too(user, use_view):
    permit("admin", "staff_only")
    use_view(Joining)
    invoke(connect_event(token=mint_token(user), channel="general"))
    assert decode_answer(invoke(message_event({"action": "enter", "channel": "admin"})))[0] == 403
    assert decode_answer(invoke(message_event({"action": "enter", "channel": "a b"})))[0] == 400
    assert decode_answer(invoke(message_event({"action": "enter", "channel": "ok"}))) == (200, {"joined": "ok"})


def test_a_view_may_have_its_own_mind(user, use_view):
    class Own(ChatView):
        def can_join_channel(self, request, channel_name):
            return channel_name == f"user-{request.user.pk}"

    use_view(Own)
    assert invoke(connect_event("C1=", token=mint_token(user), channel="user-8"))["statusCode"] == 403
    assert invoke(connect_event("C2=", token=mint_token(user), channel="user-7"))["statusCode"] == 200


@pytest.fixture
def another_process():
    """Does something as another process would: what this one has in memory does not change by it."""

    @contextmanager
    def elsewhere():
        cache = channel_permissions._cache
        before = cache._key, cache._rows, cache._mark
        yield
        cache._key, cache._rows, cache._mark = before

    return elsewhere


def test_a_removed_member_does_not_come_back_by_an_older_copy(user, use_view, another_process, monkeypatch):
    monkeypatch.setattr(delivery, "close", lambda those: delivery.DeliveryReport(sent=len(list(those))))
    use_view(Joining)
    invoke(connect_event("A=", token=mint_token(user), channel="general"))
    invoke(connect_event("B=", token=mint_token(user), channel="lobby"))
    with another_process():
        call_command("ws_permissions", "set", "gen*", "staff_only", stdout=StringIO())
    assert list(ChannelMembership.query("general")) == []
    assert invoke(connect_event("C=", token=mint_token(user), channel="general"))["statusCode"] == 403
    with another_process():
        ChannelPermission("lob*", access="staff_only").save()
    assert decode_answer(invoke(message_event({"action": "enter", "channel": "lob"}, "B=")))[0] == 403
    with another_process():
        ChannelPermission("gen*").delete()
    assert decode_answer(invoke(message_event({"action": "enter", "channel": "general"}, "B=")))[0] == 200


def test_nor_by_changing_the_channel(user, use_view, another_process):
    use_view(Movable)
    invoke(connect_event(token=mint_token(user), channel="general"))
    with another_process():
        ChannelPermission("admin", access="staff_only").save()
    assert decode_answer(invoke(message_event({"action": "change_channel", "channel": "admin"})))[0] == 403
