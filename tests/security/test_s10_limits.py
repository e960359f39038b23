"""S10: floods. Limits per address, user and connection, and what does not get past them. CONTRACT 19, 21."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied

from tests import backends, wire
from tests.urls import ChatView
from ws_lambda import clock
from ws_lambda.gatekeeping.rate_limits import place_of
from ws_lambda.models import RateLimit, WebSocketSession

pytestmark = pytest.mark.usefixtures("tables", "still")


class Denying(ChatView):
    def can_join_channel(self, request, channel_name):
        raise PermissionDenied("not today")


class Permitted(ChatView):
    permissions_required = ("chat.enter",)


class Busy(ChatView):
    def additional_connection_checks(self, request):
        return False, "Come back tomorrow"


REFUSALS = {
    "origin": (403, ChatView, {"headers": {"Origin": "https://evil.example"}}),
    "no origin": (403, ChatView, {"headers": {"Origin": None}}),
    "host": (403, ChatView, {"headers": {"Host": "evil.example"}}),
    "gateway": (403, type("Pinned", (ChatView,), {"aws_api_gateway_id": "another"}), {}),
    "connection id": (400, ChatView, {"connection_id": "has/slash"}),
    "channel": (400, ChatView, {"query": {"channel": "a b"}}),
    "no token": (401, ChatView, {"token": ""}),
    "wrong token": (401, ChatView, {"token": "0" * 64}),
    "cookie": (401, ChatView, {"headers": {"Cookie": "sessionid=of-another-login"}}),
    "permissions": (403, Permitted, {}),
    "join": (403, Denying, {"query": {"channel": "general"}}),
    "additional check": (403, Busy, {}),
    "duplicate": (409, ChatView, {"connection_id": "taken="}),
    "connects of the user": (429, type("Strict", (ChatView,), {"RATE_LIMIT_CONNECTS_PER_MINUTE": 0}), {}),
    "refusals of the address": (429, type("Stern", (ChatView,), {"RATE_LIMIT_REFUSALS_PER_MINUTE": 0}), {}),
}


def refusals(source_ip="203.0.113.9"):
    return sum(row.hits for row in RateLimit.query(f"refused#{place_of(source_ip)}"))


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_of_every_kind_counts_and_burns_no_token(user, use_view, kind):
    status, view, how = REFUSALS[kind]
    wire.connect("taken=", token=wire.mint(user))
    token = wire.mint(user)
    use_view(view)
    assert wire.connect(**{"token": token, **how})["statusCode"] == status
    assert refusals() == 1
    use_view(ChatView)
    assert wire.connect("later=", token=token)["statusCode"] == 200


def test_refusals_that_race_are_all_counted(user):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: wire.connect(f"R{n}=", token="0" * 64), range(40)))
    assert refusals() == 40
    assert wire.connect(token=wire.mint(user))["statusCode"] == 429


def test_connects_that_race_do_not_exceed_the_users_limit(user, settings):
    settings.WS_LAMBDA = {"CONNECTS_PER_MINUTE": 5, "REFUSALS_PER_MINUTE": 1000}
    tokens = [wire.mint(user) for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda n: wire.connect(f"R{n}=", token=tokens[n])["statusCode"], range(20)))
    assert (codes.count(200), set(codes)) == (5, {200, 429})


@pytest.mark.parametrize("limit", ["REFUSALS_PER_MINUTE", "CONNECTS_PER_MINUTE"])
def test_a_429_says_what_to_do_and_a_limit_of_0_lets_nobody_through(user, settings, limit):
    settings.WS_LAMBDA = {limit: 0}
    status, said = wire.answer(wire.connect(token=wire.mint(user)))
    assert (status, said["message"]) == (429, "Too many attempts: wait a minute, then try again")


def test_the_same_for_messages(user, settings):
    settings.WS_LAMBDA = {"MESSAGES_PER_MINUTE": 0}
    wire.connect(token=wire.mint(user))
    assert wire.answer(wire.message({"action": "chat"}))[1]["message"] == "Too many messages: wait a minute, then go on"


def test_an_ipv6_host_gets_no_further_by_a_new_address_each_time(user):
    for number in range(20):
        wire.connect(token="0" * 64, identity={"sourceIp": f"2001:db8:1:2::{number:x}"})
    token = wire.mint(user)
    assert wire.connect(token=token, identity={"sourceIp": "2001:db8:1:2:ffff::1"})["statusCode"] == 429
    assert wire.connect(token=token, identity={"sourceIp": "2001:db8:1:3::1"})["statusCode"] == 200


@pytest.mark.parametrize(
    ("source_ip", "place"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("203.0.113.9, 10.0.0.1", "no-address"),
        ("x" * 5000, "no-address"),
    ],
)
def test_who_is_counted_together(source_ip, place):
    assert place_of(source_ip) == place


def test_a_crowd_behind_one_address_goes_on_while_one_of_it_is_refused(people):
    crowd = [backends.add(str(100 + n)) for n in range(30)]
    for n, one in enumerate(crowd):
        if n % 2 == 0:
            wire.connect(f"X{n}=", token="0" * 64)
        assert wire.connect(f"C{n}=", token=wire.mint(one))["statusCode"] == 200


def test_messages_are_limited_per_connection(user, settings, monkeypatch):
    settings.WS_LAMBDA = {"MESSAGES_PER_MINUTE": 3}
    wire.connect(token=wire.mint(user))
    wire.connect("other=", token=wire.mint(user))
    codes = [wire.message({"action": "chat"})["statusCode"] for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert wire.message({"action": "chat"}, "other=")["statusCode"] == 200
    assert WebSocketSession.get("C1=").request_count == 3
    later = clock.now() + 60
    monkeypatch.setattr(clock, "now", lambda: later)
    assert wire.message({"action": "chat"})["statusCode"] == 200
    assert len(WebSocketSession.get("C1=").message_windows.attribute_values) == 1, "old minutes are forgotten"
