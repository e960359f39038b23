"""docs/contract.md 28: lookups of `WebSocketSession.objects`, with channels, closing and the rows behind them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldError

from tests.golden import golden
from ws_lambda import clock
from ws_lambda.delivery import YOUNG_SECONDS
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import InvalidChannel, InvalidConnectionId, PermissionRefused
from ws_lambda.models import ApiGateway, ChannelMembership, ChannelPermission, WebSocketSession, channel_permissions
from ws_lambda.models.batch_closing import close_gone
from ws_lambda.models.closing import close_session
from ws_lambda.models.opening import new_session, open_session
from ws_lambda.testing.gateway_events import DOMAIN_NAME

objects = WebSocketSession.objects
pytestmark = pytest.mark.usefixtures("ws_tables")


def make(connection_id, channel="", user=None, api_id="abc123"):
    began = int((clock.now() - YOUNG_SECONDS) * 1000)
    event = GatewayEvent.from_lambda(golden("connect", connectionId=connection_id, apiId=api_id, connectedAt=began))
    session = new_session(event, endpoint_url=f"https://{DOMAIN_NAME}/prod", channel_name=channel)
    if user is not None:
        session.user_id, session.auth_backend = str(user), "tests.backends.DictBackend"
    open_session(session)
    return session


@pytest.fixture
def four():
    make("A=", "general", user=1)
    make("B=", "general", user=2)
    make("C=", "support", user=1, api_id="other")
    make("D=", user=1)
    close_session("D=")
    make("E=", "general", user=1)
    close_session("E=")


def ids(selection):
    return sorted(one.connection_id for one in selection)


@pytest.mark.parametrize(
    ("lookups", "expected"),
    [
        ({}, ["A=", "B=", "C=", "D=", "E="]),
        ({"channel_name": "general"}, ["A=", "B="]),
        ({"channel_name": "nowhere"}, []),
        ({"channel_name": ""}, []),
        ({"channel_name": "", "connected": True}, []),
        ({"connected": True}, ["A=", "B=", "C="]),
        ({"connected": False}, ["D=", "E="]),
        ({"channel_name": "general", "connected": True}, ["A=", "B="]),
        ({"channel_name": "general", "connected": False}, ["E="]),
        ({"user": 1}, ["A=", "C=", "D=", "E="]),
        ({"user": "1", "connected": True}, ["A=", "C="]),
        ({"user": 1, "channel_name": "general"}, ["A="]),
        ({"user": 1, "channel_name": "general", "connected": False}, ["E="]),
        ({"connection_id": "A="}, ["A="]),
        ({"connection_id": "A=", "channel_name": "support"}, []),
        ({"connection_id": "D=", "connected": True}, []),
        ({"connection_id": "unknown"}, []),
        ({"api_gateway": "other"}, ["C="]),
        ({"api_gateway": "other", "connected": True}, ["C="]),
        ({"api_gateway": "abc123", "user": 1, "connected": True}, ["A="]),
    ],
)
def test_28_filters(four, lookups, expected):
    selection = objects.filter(**lookups)
    assert ids(selection) == expected
    assert selection.count() == len(expected)
    assert selection.exists() is bool(expected)
    assert (selection.first() is None) is not bool(expected)
    still_open = [one for one in expected if one not in ("D=", "E=")]
    assert sorted(one.connection_id for one in selection.recipients()) == still_open


def test_chained_filters_narrow_and_never_change_what_they_came_from(four):
    general = objects.filter(channel_name="general")
    assert ids(general.filter(user=1)) == ["A="]
    assert ids(general.filter(connected=True).all()) == ["A=", "B="]
    assert ids(objects.filter(user=1).filter(user=2)) == []
    assert ids(objects.filter(user=1).filter(user=2).filter(connection_id="A=")) == []
    assert ids(general) == ["A=", "B="]
    with pytest.raises(FieldError):
        general.filter(channel_name="support")


def test_objects_that_stand_for_their_keys(four):
    class User:
        pk = 2

    assert ids(objects.filter(user=User())) == ["B="]
    assert ids(objects.filter(api_gateway=ApiGateway("x", api_id="other"))) == ["C="]


@pytest.mark.parametrize("lookup", ["channel_name__in", "id", "user_id", "route"])
def test_28_an_unsupported_lookup_names_the_supported_ones(lookup):
    with pytest.raises(FieldError, match="api_gateway, channel_name, connected, connection_id, user"):
        objects.filter(**{lookup: 1})


def test_nobody_is_a_member_of_a_channel_without_a_name(four):
    """What a connection without a channel has for its `channel_name`."""
    report = objects.filter(channel_name="").send_message({})
    assert (report.sent, report.queued) == (0, 0)
    assert objects.filter(channel_name="").disconnect().sent == 0
    assert ids(objects.filter(connected=True)) == ["A=", "B=", "C="]


@pytest.mark.parametrize("value", [None, "yes", 1])
def test_connected_is_a_truth_value(value):
    with pytest.raises(FieldError, match="True or False"):
        objects.filter(connected=value)


@pytest.mark.parametrize("lookup", ["channel_name", "user", "connection_id", "api_gateway"])
def test_an_empty_name_selects_nobody(four, lookup):
    nobody = objects.filter(**{lookup: ""})
    assert (list(nobody), nobody.count(), list(nobody.recipients())) == ([], 0, [])
    assert list(objects.filter(channel_name="general").filter(**{lookup: ""})) == []


@pytest.mark.parametrize("nobody", [None, AnonymousUser()])
def test_an_anonymous_user_selects_nobody(four, nobody):
    assert list(objects.filter(user=nobody)) == []


def test_a_selection_of_nobody_is_false_as_in_django(four):
    assert objects.filter(channel_name="general")
    assert not objects.filter(channel_name="empty")


def test_get(four):
    assert objects.get(connection_id="A=").user_id == "1"
    with pytest.raises(WebSocketSession.DoesNotExist):
        objects.get(connection_id="nobody")
    with pytest.raises(WebSocketSession.MultipleObjectsReturned):
        objects.get(channel_name="general")


def test_counting_reads_no_session(four, ws_requests):
    ws_requests.clear()
    objects.filter(channel_name="general").count()
    assert ws_requests == ["Query"]
    ws_requests.clear()
    objects.filter(connected=True).count()
    assert ws_requests == ["Query"] * 4


def test_more_sessions_than_one_batch_holds():
    for number in range(130):
        make(f"{number:03}=", "crowd")
    assert objects.filter(channel_name="crowd").count() == 130
    assert len(ids(objects.filter(channel_name="crowd"))) == 130


def rows(channel):
    return sorted(row.connection_id for row in ChannelMembership.query(channel))


def test_joining_and_leaving(four):
    session = objects.get(connection_id="A=")
    session.join("second", check=False)
    assert (session.channel_name, session.channels) == ("general", {"general", "second"})
    assert (rows("second"), rows("general")) == (["A="], ["A=", "B="])
    session.join("second", check=False)
    session.leave("general")
    stored = objects.get(connection_id="A=")
    assert (stored.channel_name, stored.channels) == ("second", {"second"})
    assert rows("general") == ["B="]
    session.leave("second")
    session.leave("never-been")
    stored = objects.get(connection_id="A=")
    assert (stored.channel_name, stored.channels) == ("", None)


def test_23_changing_channel(four):
    session = objects.get(connection_id="A=")
    session.join("extra", check=False)
    session.change_channel("support", check=False)
    assert (session.channel_name, session.channels) == ("support", {"support", "extra"})
    assert (rows("general"), rows("support")) == (["B="], ["A=", "C="])
    session.change_channel("extra", check=False)
    assert (session.channel_name, session.channels) == ("extra", {"extra"})


def test_two_processes_changing_the_same_connection(four):
    first, second = objects.get(connection_id="A="), objects.get(connection_id="A=")
    first.join("one", check=False)
    second.join("two", check=False)
    assert second.channels == {"general", "one", "two"}
    assert (rows("one"), rows("two")) == (["A="], ["A="])


def test_a_closed_connection_joins_nothing(four):
    session = objects.get(connection_id="A=")
    close_session("A=")
    with pytest.raises(InvalidConnectionId):
        session.join("late", check=False)
    assert rows("late") == []


def test_joining_asks_the_permission(four, user):
    session = make("F=", user=user.pk)
    session.auth_backend = "tests.backends.DictBackend"
    with pytest.raises(InvalidChannel):
        session.join("room\n")
    ChannelPermission("team-*", access="staff_only").save()
    channel_permissions.forget_cache()
    with pytest.raises(PermissionRefused):
        session.join("team-red")
    session.join("elsewhere")
    assert session.channel_name == "elsewhere"
    with pytest.raises(PermissionRefused):
        session.change_channel("team-red")
    assert session.channel_name == "elsewhere"


def test_anonymous_joins_only_where_anyone_may(four):
    session = make("F=")
    with pytest.raises(PermissionRefused):
        session.join("lobby")
    ChannelPermission("lobby", access="allow_all").save()
    channel_permissions.forget_cache()
    session.join("lobby")
    assert session.channels == {"lobby"}


def test_a_roster_over_several_partitions(settings):
    settings.WS_LAMBDA = {"CHANNEL_SHARDS": {"big-*": 3}}
    for number in range(30):
        make(f"S{number}=", "big-room")
    assert [rows("big-room"), sum(len(rows(f"big-room#{shard}")) for shard in range(3))] == [[], 30]
    assert min(len(rows(f"big-room#{shard}")) for shard in range(3)) > 0
    assert objects.filter(channel_name="big-room").count() == 30
    close_session("S0=")
    assert objects.filter(channel_name="big-room").count() == 29


def test_r5_gone_closes_only_that_generation(four):
    old = objects.get(connection_id="A=").recipient
    younger = type(old)("A=", old.endpoint_url, old.connected_at + 1)
    assert close_gone([younger], channel_name="general") == 0
    assert objects.get(connection_id="A=").connected
    assert rows("general") == ["A=", "B="]
    assert close_gone([old], channel_name="general") == 1
    assert not objects.get(connection_id="A=").connected
    assert rows("general") == ["B="]
    assert close_gone([old], channel_name="general") == 0
    assert close_gone([]) == 0


def test_gone_removes_a_row_that_outlived_its_session(four):
    session = objects.get(connection_id="A=")
    session.delete()
    close_gone([session.recipient], channel_name="general")
    assert rows("general") == ["B="]


def test_closed_sessions_are_kept_for_a_while_and_then_expire(four, settings):
    kept = objects.get(connection_id="D=").expires_at - clock.utcnow()
    assert timedelta(hours=23) < kept <= timedelta(days=1)
    assert objects.get(connection_id="A=").expires_at - clock.utcnow() > timedelta(hours=25)


def test_repr_says_what_is_selected():
    assert repr(objects.filter(channel_name="a", connected=True)) == (
        "<SessionQuerySet channel_name='a', connected=True>"
    )
    assert repr(objects.all()) == "<SessionQuerySet all>"
