"""S17: a user who loses a right loses the channel, at once if Django sends a signal. docs/contract.md 37."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from tests import backends
from tests.urls import ChatView
from ws_lambda import clock, delivery, housekeeping, telemetry
from ws_lambda.models import ChannelMembership, ChannelPermission, WebSocketSession
from ws_lambda.testing import connect_event, invoke, message_event, mint_token


@pytest.fixture
def later(monkeypatch):
    """Moves the clock."""
    moved = timedelta()

    def by(seconds):
        nonlocal moved
        moved += timedelta(seconds=seconds)

    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + moved.total_seconds())
    return by


def row(connection_id="C1="):
    return WebSocketSession.get(connection_id, consistent_read=True)


def members(channel):
    return {one.connection_id for one in ChannelMembership.query(channel)}


def say(connection_id="C1="):
    return invoke(message_event({"action": "chat"}, connection_id))["statusCode"]


def enter(user, *, channel="general", connection_id="C1="):
    assert invoke(connect_event(connection_id, token=mint_token(user), channel=channel))["statusCode"] == 200


def test_a_demoted_user_loses_the_channel_and_keeps_the_others(user, dropped, later):
    ChannelPermission("admins", access="superuser_only").save()
    user.is_superuser = True
    enter(user)
    row().join("admins")
    user.is_superuser = False
    assert say() == 200
    assert members("admins") == {"C1="}, "asked once in REVALIDATE_USER_SECONDS"
    later(61)
    assert say() == 200
    assert (members("admins"), members("general"), row().channels) == (set(), {"C1="}, {"general"})
    assert dropped == []


def test_a_connection_that_loses_its_only_channel_is_closed(user, dropped, later):
    ChannelPermission("admins", access="superuser_only").save()
    user.is_superuser = True
    enter(user, channel="admins")
    user.is_superuser = False
    later(61)
    assert say() == 403
    assert (members("admins"), row().connected, dropped) == (set(), False, ["C1="])


def test_a_demoted_superuser_who_speaks_every_minute_hears_nothing_more(user, dropped, later):
    """100 minutes, and of each it is asked whether the channel's messages still arrive."""
    ChannelPermission("admins", access="superuser_only").save()
    user.is_superuser = True
    enter(user)
    row().join("admins")
    heard = []
    for minute in range(100):
        if minute == 3:
            user.is_superuser = False
        later(60)
        assert say() == 200
        heard.append("C1=" in members("admins"))
    assert heard == [True] * 3 + [False] * 97


def test_the_views_own_rule_is_asked_again(user, dropped, later, use_view):
    admitted = {"general", "team"}

    class Teams(ChatView):
        def can_join_channel(self, request, channel_name):
            assert (request.user.pk, self.event.connection_id) == (user.pk, "C1=")
            return channel_name in admitted

        def change_channel(self, request, *args, **kwargs):
            return super().change_channel(request, *args, **kwargs)

    use_view(Teams)
    enter(user)
    row().join("team", check=False)
    row().leave("team")
    assert invoke(message_event({"action": "change_channel", "channel": "team"}))["statusCode"] == 200
    row().join("general", check=False)
    admitted.clear()
    later(61)
    assert say() == 200
    assert row().channels == {"general"}, "what the project's code has entered unchecked is not judged"


def test_channels_entered_by_join_are_judged_by_stored_permissions_and_not_by_a_view(user, dropped, later, use_view):
    class OnlyGeneral(ChatView):
        def can_join_channel(self, request, channel_name):
            return channel_name == "general"

    use_view(OnlyGeneral)
    enter(user)
    row().join("news")
    later(61)
    assert say() == 200
    assert row().channels == {"general", "news"}
    ChannelPermission("news", access="staff_only").save()
    later(61)
    assert say() == 200
    assert row().channels == {"general"}


@pytest.mark.parametrize("by_schedule", [False, True])
def test_the_views_own_permission(user, dropped, later, use_view, by_schedule):
    class Guarded(ChatView):
        permissions_required = ("chat.enter",)

    use_view(Guarded)
    backends.permissions["7"] = {"chat.enter"}
    enter(user)
    later(61)
    assert say() == 200
    backends.permissions["7"] = set()
    assert say() == 403
    assert row().connected, "until the user is read again by rule"
    later(61)
    if by_schedule:
        assert housekeeping.run().evicted == 1
    else:
        assert say() == 403
    assert (row().connected, dropped, members("general")) == (False, ["C1="], set())


def test_a_view_that_asks_no_permission_on_connect_closes_no_connection_for_it(user, dropped, later, use_view):
    class Reading(ChatView):
        permissions_required = ("chat.speak",)
        CHECK_PERMISSIONS_ON_CONNECT = False

    use_view(Reading)
    enter(user)
    later(61)
    assert say() == 403
    assert housekeeping.run().evicted == 0
    assert row().connected


def test_the_silent_are_judged_by_the_schedule_through_the_urlconf(user, dropped, later, use_view):
    asked = []

    class Teams(ChatView):
        def can_join_channel(self, request, channel_name):
            ids = (self.event.connection_id, self.event.api_id, request.gateway_event.connection_id)
            asked.append((*ids, request.path, self.kwargs["route"], request.user.pk, request.META["REMOTE_ADDR"]))
            return channel_name == "general" or user.is_staff

    use_view(Teams)
    user.is_staff = True
    enter(user)
    enter(user, channel="team", connection_id="C2=")
    user.is_staff = False
    asked.clear()
    later(61)
    pruned = housekeeping.run()
    assert (pruned.removed, pruned.evicted, pruned.unchecked) == (1, 1, 0)
    assert (members("general"), members("team"), dropped) == ({"C1="}, set(), ["C2="])
    assert set(asked) == {
        (name, "test", name, "/ws/connect", "connect", user.pk, "203.0.113.9") for name in ("C1=", "C2=")
    }


@pytest.mark.parametrize("by_schedule", [False, True])
def test_a_view_that_raises_leaves_the_connection(
    user, dropped, later, use_view, caplog, monkeypatch, by_schedule
):  # fmt: skip
    counted = []
    monkeypatch.setattr(telemetry, "count", lambda name, value=1: counted.append(name))
    broken = False

    class Broken(ChatView):
        def can_join_channel(self, request, channel_name):
            if broken:
                raise LookupError("the table of teams is gone")
            return True

    use_view(Broken)
    enter(user)
    enter(user, connection_id="C2=")
    broken = True
    later(61)
    if by_schedule:
        pruned = housekeeping.run()
        assert (pruned.unchecked, pruned.evicted, pruned.removed) == (2, 0, 0)
    else:
        assert say() == 200
        assert "Unchecked" in counted
    assert (members("general"), dropped) == ({"C1=", "C2="}, [])
    (error,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert "the table of teams is gone" in str(error.exc_info[1])
    broken = False
    assert housekeeping.run().unchecked == 0


def test_a_view_that_refuses_by_djangos_own_exception(user, dropped, later, use_view):
    barred = False

    class Barring(ChatView):
        def can_join_channel(self, request, channel_name):
            if barred:
                raise PermissionDenied
            return True

    use_view(Barring)
    enter(user)
    barred = True
    later(61)
    assert say() == 403
    assert dropped == ["C1="]


def test_a_connection_whose_view_is_gone_is_left_and_counted(user, dropped, later, caplog):
    enter(user)
    session = row()
    session.update(actions=[WebSocketSession.connect_path.set("/gone/connect")])
    later(61)
    pruned = housekeeping.run()
    assert (pruned.unchecked, pruned.evicted, row().connected) == (1, 0, True)
    (error,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert "/gone/connect" in error.getMessage()


def test_a_message_that_reads_no_user_costs_no_more(user, dropped, later, ws_requests):
    enter(user)
    later(61)
    say()
    ws_requests.clear()
    say()
    assert ws_requests == ["UpdateItem"]


def test_many_users_are_found_by_the_index_of_open_connections(people, dropped, ws_requests):
    from ws_lambda.gatekeeping import permission_changes

    ChannelPermission("staff", access="staff_only").save()
    users = [backends.add(str(number), is_staff=True) for number in range(1, 61)]
    for one in users:
        enter(one, channel="staff", connection_id=f"C{one.pk}=")
        one.is_staff = one.pk > 20  # fewer lose it than are closed past botocore, where moto does not hear
    ws_requests.clear()
    judged = permission_changes.revalidate_users([str(one.pk) for one in users])
    assert ws_requests.count("Query") == len(delivery.roster.LIVE_SHARDS)
    assert (judged.removed, judged.evicted, len(dropped)) == (20, 20, 20)
    assert len(members("staff")) == 40


def test_a_failed_removal_of_one_member_does_not_keep_another(user, dropped, monkeypatch):
    from ws_lambda.gatekeeping import batch_revalidation

    def fail(_departures):
        raise ConnectionError

    ChannelPermission("staff", access="staff_only").save()
    other = backends.add("8", is_staff=True)
    enter(user, connection_id="C7=")
    enter(other, channel="staff", connection_id="C8=")
    user.is_active = other.is_staff = False
    monkeypatch.setattr(batch_revalidation, "leave_many", fail)
    with pytest.raises(ConnectionError):
        batch_revalidation.revalidate_many([row("C8="), row("C7=")])
    assert dropped == ["C7="]
    assert not row("C7=").connected


def test_a_connection_that_the_index_does_not_show_yet_is_judged_at_once(user, dropped, monkeypatch):
    from ws_lambda.gatekeeping import permission_changes

    ChannelPermission("staff", access="staff_only").save()
    user.is_staff = True
    enter(user, channel="staff")
    monkeypatch.setattr(WebSocketSession.by_user, "query", lambda _key: [])
    user.is_staff = False
    permission_changes.revalidate_users(["7"])
    assert dropped == ["C1="]
