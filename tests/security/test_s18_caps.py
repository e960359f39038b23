"""S18: limits on the connections of a user and on the channels of a connection. docs/contract.md 39."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests import backends
from tests.urls import ChatView
from ws_lambda import clock
from ws_lambda.exceptions import PermissionRefused, TooManyChannels
from ws_lambda.models import ChannelMembership, RateLimit, WebSocketSession, closing, open_connections
from ws_lambda.models.batch_closing import close_gone
from ws_lambda.models.transactions import Collided
from ws_lambda.tables.rate_limits import OpenConnections
from ws_lambda.testing import connect_event, decode_answer, disconnect_event, invoke, message_event, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables", "still")


class Moving(ChatView):
    ADDITIONAL_ALLOWED_HANDLERS = ("change_channel",)

    def join(self, request, *args, **kwargs):
        self.websocket_session.join(self.body["channel"])

    def put(self, request, *args, **kwargs):
        self.websocket_session.join(self.body["channel"], check=False)


@pytest.fixture
def three(settings):
    """At most three connections of a user, of which any number may be made."""
    settings.WS_LAMBDA = {"CONNECTIONS_PER_USER": 3, "CONNECTS_PER_MINUTE": 1000, "REFUSALS_PER_MINUTE": 1000}


def listed(user_id="7"):
    try:
        return OpenConnections.get(f"open#{user_id}", "-", consistent_read=True).connection_ids or set()
    except OpenConnections.DoesNotExist:
        return None


def session(connection_id="C1="):
    return WebSocketSession.get(connection_id, consistent_read=True)


def connect(connection_id, user, **how):
    return invoke(connect_event(connection_id, token=mint_token(user, **how)))["statusCode"]


# Open connections of one account


def test_one_connection_too_many_is_refused_and_burns_no_token(user, three):
    assert [connect(f"C{n}=", user) for n in range(3)] == [200, 200, 200]
    token = mint_token(user)
    status, said = decode_answer(invoke(connect_event("C3=", token=token)))
    assert (status, said["message"]) == (429, "Too many connections are open: close one, then try again")
    assert listed() == {"C0=", "C1=", "C2="}
    invoke(disconnect_event("C1="))
    assert listed() == {"C0=", "C2="}
    assert invoke(connect_event("C3=", token=token))["statusCode"] == 200


def test_connects_that_race_open_no_more_than_the_limit(user, three):
    tokens = [mint_token(user) for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda n: invoke(connect_event(f"R{n}=", token=tokens[n]))["statusCode"], range(20)))
    assert (codes.count(200), set(codes)) == (3, {200, 429})
    assert len(listed()) == 3


def test_a_user_has_a_hundred_unless_told_otherwise(user):
    connect("C99=", user)
    others = [f"C{n}=" for n in range(99)]
    now = clock.utcnow()
    with WebSocketSession.batch_write() as batch:
        for name in others:
            batch.save(WebSocketSession(name, api_id="abc123", connected_at=now, last_seen_at=now, expires_at=now))
    row = OpenConnections.of("7")
    row.update(actions=[OpenConnections.connection_ids.add(set(others[:98]))])
    assert connect("C100=", user) == 200
    assert connect("C101=", user) == 429


def test_the_limit_is_one_account_s_own(user, three):
    other = backends.add("8")
    for n in range(3):
        connect(f"C{n}=", user)
    assert connect("other=", other) == 200


def test_a_view_may_have_a_limit_of_its_own_or_none(user, three, use_view):
    use_view(type("Wide", (ChatView,), {"RATE_LIMIT_CONNECTIONS_PER_USER": 4}))
    assert [connect(f"C{n}=", user) for n in range(5)] == [200, 200, 200, 200, 429]
    use_view(type("Open", (ChatView,), {"RATE_LIMIT_ENABLED": False}))
    assert connect("more=", user) == 200
    assert "more=" not in listed(), "what is not limited is not counted"


def test_a_limit_of_0_admits_no_logged_in_user(user, settings):
    settings.WS_LAMBDA = {"CONNECTIONS_PER_USER": 0}
    assert connect("C1=", user) == 429


def test_anonymous_connections_are_not_counted(settings, use_view):
    settings.WS_LAMBDA = {"CONNECTIONS_PER_USER": 0, "UNLISTED_CHANNELS": "anyone"}
    use_view(type("Public", (ChatView,), {"USE_WS_TOKEN": False}))
    assert invoke(connect_event("C1="))["statusCode"] == 200
    assert invoke(disconnect_event("C1="))["statusCode"] == 200
    assert listed("None") is None and not list(RateLimit.query("open#"))


def lost(monkeypatch):
    """Closed by the sending side, which met a 410; `$disconnect` never comes."""
    later = clock.now() + 40  # a younger one might only be opening
    monkeypatch.setattr(clock, "now", lambda: later)
    close_gone([session("C0=").recipient, session("C1=").recipient])


def purged(monkeypatch):
    session("C0=").delete()


def outlived(monkeypatch):
    old = session("C0=")
    old.update(actions=[WebSocketSession.connected_at.set(clock.utcnow() - timedelta(hours=2, seconds=1))])


@pytest.mark.parametrize(("how", "gone"), [(lost, {"C0=", "C1="}), (purged, {"C0="}), (outlived, {"C0="})])
def test_a_full_set_is_healed_of_what_closed_without_a_disconnect(user, three, monkeypatch, how, gone):
    for n in range(3):
        connect(f"C{n}=", user)
    how(monkeypatch)
    assert connect("C3=", user) == 200
    assert listed() == {"C0=", "C1=", "C2=", "C3="} - gone


def test_a_disconnect_removes_all_in_one_request_and_twice_is_as_once(user, ws_requests):
    invoke(connect_event("C1=", token=mint_token(user), channel="general"))
    ws_requests.clear()
    assert invoke(disconnect_event("C1="))["statusCode"] == 200
    assert ws_requests == ["UpdateItem", "TransactWriteItems"]
    assert listed() == set() and not list(ChannelMembership.query("general"))
    invoke(disconnect_event("C1="))
    assert listed() == set()
    connect("C2=", user)
    ws_requests.clear()
    invoke(disconnect_event("C2="))
    assert ws_requests == ["UpdateItem", "UpdateItem"], "in no channel, nothing to do together"


def test_the_set_outlives_every_connection_and_no_more(user):
    connect("C1=", user)
    row = OpenConnections.get("open#7", "-")
    assert row.expires_at == (clock.utcnow() + timedelta(hours=3)).replace(microsecond=0)


def test_tabs_that_close_at_once_all_leave(user, three, settings):
    settings.WS_LAMBDA = {"CONNECTS_PER_MINUTE": 1000}
    names = [f"C{n}=" for n in range(24)]
    for name in names:
        invoke(connect_event(name, token=mint_token(user), channel="general"))
    with ThreadPoolExecutor(8) as pool:
        assert {one["statusCode"] for one in pool.map(invoke, map(disconnect_event, names))} == {200}
    assert listed() == set() and not list(ChannelMembership.query("general"))


def test_a_disconnect_that_collides_time_and_again_still_leaves_the_channels(user, monkeypatch):
    def collide(*args):
        raise Collided()

    monkeypatch.setattr("ws_lambda.retrying.time.sleep", lambda seconds: None)
    invoke(connect_event("C1=", token=mint_token(user), channel="general"))
    monkeypatch.setattr(open_connections, "remove", collide)
    assert invoke(disconnect_event("C1="))["statusCode"] == 200
    assert not list(ChannelMembership.query("general"))
    assert listed() == {"C1="}, "left to healing"


# Channels of one connection


def test_one_channel_too_many_is_refused(user, settings, use_view):
    settings.WS_LAMBDA = {"CHANNELS_PER_CONNECTION": 3}
    use_view(Moving)
    invoke(connect_event(token=mint_token(user), channel="a"))
    for name in ("b", "c"):
        assert invoke(message_event({"action": "join", "channel": name}))["statusCode"] == 200
    for action in ("join", "put"):
        status, said = decode_answer(invoke(message_event({"action": action, "channel": "d"})))
        assert (status, said["message"]) == (400, "Too many channels: leave one, then join another")
    assert session().channels == {"a", "b", "c"} and not list(ChannelMembership.query("d"))
    assert invoke(message_event({"action": "join", "channel": "b"}))["statusCode"] == 200, "it is in that one already"
    assert invoke(message_event({"action": "change_channel", "channel": "d"}))["statusCode"] == 200, "one for another"
    assert session().channels == {"b", "c", "d"}


def test_a_connection_is_in_fifty_channels_at_most(user, ws_requests):
    invoke(connect_event(token=mint_token(user)))
    opened = session()
    for n in range(50):
        opened.join(f"room-{n}", check=False)
    ws_requests.clear()
    with pytest.raises(TooManyChannels):
        opened.join("room-50", check=False)
    assert ws_requests == [], "it is known without asking"


def test_joins_that_race_stay_within_the_limit(user, settings):
    settings.WS_LAMBDA = {"CHANNELS_PER_CONNECTION": 3}
    invoke(connect_event(token=mint_token(user)))
    copies = [session() for _ in range(8)]

    def join(n):
        try:
            copies[n].join(f"room-{n}", check=False)
        except TooManyChannels:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(join, range(8))) == 3
    assert len(session().channels) == 3


def test_a_member_of_too_many_channels_may_leave_and_change_but_not_join(user, settings):
    invoke(connect_event(token=mint_token(user)))
    opened = session()
    for name in ("a", "b", "c"):
        opened.join(name)
    settings.WS_LAMBDA = {"CHANNELS_PER_CONNECTION": 1}
    opened.change_channel("d")
    with pytest.raises(TooManyChannels):
        opened.join("e")
    opened.leave("d")
    assert opened.channels == {"b", "c"}


def test_more_channels_than_one_transaction_takes_are_left_all_the_same(user, monkeypatch):
    monkeypatch.setattr(closing, "MOST_ITEMS", 3)
    invoke(connect_event(token=mint_token(user)))
    opened = session()
    for n in range(5):
        opened.join(f"room-{n}", check=False)
    invoke(disconnect_event())
    assert not list(ChannelMembership.scan())
    assert listed() == set()


# A token that was minted for one channel


def test_a_token_for_one_channel_binds_what_the_client_joins_later(user, use_view):
    use_view(Moving)
    invoke(connect_event(token=mint_token(user, channel="general"), channel="general"))
    for action in ("join", "change_channel"):
        assert invoke(message_event({"action": action, "channel": "other"}))["statusCode"] == 403
    assert session().channels == {"general"}
    with pytest.raises(PermissionRefused):
        session().change_channel("other")
    put = message_event({"action": "put", "channel": "other"})
    assert invoke(put)["statusCode"] == 200, "the server's own decision"
    assert session().channels == {"general", "other"}


def test_a_bound_connection_may_come_back_to_its_channel(user, use_view):
    use_view(Moving)
    invoke(connect_event(token=mint_token(user, channel="general"), channel="general"))
    session().leave("general")
    assert invoke(message_event({"action": "join", "channel": "general"}))["statusCode"] == 200


def test_a_token_for_any_channel_binds_nothing(user, use_view):
    use_view(Moving)
    invoke(connect_event(token=mint_token(user), channel="general"))
    assert invoke(message_event({"action": "join", "channel": "other"}))["statusCode"] == 200
