"""S10: floods. Limits per address, user and connection, and what does not get past them. docs/contract.md 19, 21."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied

from tests import backends
from tests.security.forging import forged
from tests.urls import ChatView
from ws_lambda import clock, process_state, snapstart
from ws_lambda.gatekeeping.rate_limits import place_of
from ws_lambda.models import RateLimit, WebSocketSession, rate_limits
from ws_lambda.process_state import Occasion
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables", "still")


class Denying(ChatView):
    def can_join_channel(self, request, channel_name):
        raise PermissionDenied("not today")


class Permitted(ChatView):
    permissions_required = ("chat.enter",)


class Busy(ChatView):
    def additional_connection_checks(self, request):
        return False, "Come back tomorrow"


REFUSALS = {
    "host": (403, ChatView, {"forge": {"Host": "evil.example"}}),
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
}


def connecting(*, forge=None, **how):
    return forged(connect_event(**how), forge or {})


def refusals(source_ip="203.0.113.9"):
    return sum(row.hits for row in RateLimit.query(f"refused#{place_of(source_ip)}"))


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_of_every_kind_counts_and_burns_no_token(user, use_view, kind):
    status, view, how = REFUSALS[kind]
    invoke(connect_event("taken=", token=mint_token(user)))
    token = mint_token(user)
    use_view(view)
    assert invoke(connecting(**{"token": token, **how}))["statusCode"] == status
    assert refusals() == 1
    use_view(ChatView)
    assert invoke(connect_event("later=", token=token))["statusCode"] == 200


def test_refusals_that_race_are_all_counted(user):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: invoke(connect_event(f"R{n}=", token="0" * 64)), range(40)))
    assert 20 <= refusals() < 28, "none is lost up to the limit; what eight have under way may pass it"
    assert invoke(connect_event(token="0" * 64))["statusCode"] == 429


def test_connects_that_race_do_not_exceed_the_users_limit(user, settings):
    settings.WS_LAMBDA = {"CONNECTS_PER_MINUTE": 5, "REFUSALS_PER_MINUTE": 1000}
    tokens = [mint_token(user) for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda n: invoke(connect_event(f"R{n}=", token=tokens[n]))["statusCode"], range(20)))
    assert (codes.count(200), set(codes)) == (5, {200, 429})


@pytest.mark.parametrize(("limit", "token"), [("REFUSALS_PER_MINUTE", "0" * 64), ("CONNECTS_PER_MINUTE", "")])
def test_a_429_says_what_to_do_and_a_limit_of_0_admits_no_request(user, settings, limit, token):
    settings.WS_LAMBDA = {limit: 0}
    status, said = decode_answer(invoke(connect_event(token=token or mint_token(user))))
    assert (status, said["message"]) == (429, "Too many attempts: wait a minute, then try again")


def test_the_same_for_messages(user, settings):
    settings.WS_LAMBDA = {"MESSAGES_PER_MINUTE": 0}
    invoke(connect_event(token=mint_token(user)))
    refused = decode_answer(invoke(message_event({"action": "chat"})))[1]
    assert refused["message"] == "Too many messages: wait a minute, then continue"


def test_an_ipv6_host_gets_no_further_by_a_new_address_each_time(user):
    for number in range(20):
        invoke(connect_event(token="0" * 64, source_ip=f"2001:db8:1:2::{number:x}"))
    assert invoke(connect_event(token="0" * 64, source_ip="2001:db8:1:2:ffff::1"))["statusCode"] == 429
    assert invoke(connect_event(token="0" * 64, source_ip="2001:db8:1:3::1"))["statusCode"] == 401


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
            invoke(connect_event(f"X{n}=", token="0" * 64))
        assert invoke(connect_event(f"C{n}=", token=mint_token(one)))["statusCode"] == 200


def test_messages_are_limited_per_connection(user, settings, monkeypatch):
    settings.WS_LAMBDA = {"MESSAGES_PER_MINUTE": 3}
    invoke(connect_event(token=mint_token(user)))
    invoke(connect_event("other=", token=mint_token(user)))
    codes = [invoke(message_event({"action": "chat"}))["statusCode"] for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert invoke(message_event({"action": "chat"}, "other="))["statusCode"] == 200
    assert WebSocketSession.get("C1=").request_count == 3
    later = clock.now() + 60
    monkeypatch.setattr(clock, "now", lambda: later)
    assert invoke(message_event({"action": "chat"}))["statusCode"] == 200
    assert len(WebSocketSession.get("C1=").message_windows.attribute_values) == 1, "old minutes are forgotten"


# An office behind one address, one of whose people (or whose visitors' browsers) is hostile


def cost(requests, event):
    requests.clear()
    return invoke(event)["statusCode"], list(requests)


HOSTILE = {
    "another site's page": {"origin": "https://evil.example"},
    "no origin": {"origin": None},
    "no token": {},
    "a malformed token": {"token": "x"},
    "unknown tokens": {"token": "0" * 64},
    "another host": {"forge": {"Host": "evil.example"}},
    "no channel": {"query": {"channel": "a b"}},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_connects_do_not_lock_out_users_with_a_token(user, kind):
    for n in range(40):
        assert invoke(connecting(connection_id=f"H{n}=", **HOSTILE[kind]))["statusCode"] in (400, 401, 403, 429)
    assert invoke(connect_event("fresh=", token=mint_token(user)))["statusCode"] == 200
    process_state.forget(Occasion.RESTORE)
    assert invoke(connect_event("elsewhere=", token=mint_token(user)))["statusCode"] == 200, "in another process"


@pytest.mark.parametrize("origin", ["https://evil.example", None, "null"])
def test_a_refused_origin_counts_against_nobody(ws_requests, origin):
    invoke(connect_event("C0=", origin=origin))  # the process learns of gateways
    for _ in range(25):
        assert cost(ws_requests, connect_event(origin=origin)) == (403, [])
    assert refusals() == 0


def test_an_expired_token_is_as_none(user, settings, monkeypatch):
    settings.WS_LAMBDA = {"REFUSALS_PER_MINUTE": 3}
    token = mint_token(user)
    later = clock.now() + 3600
    monkeypatch.setattr(clock, "now", lambda: later)
    codes = [invoke(connect_event(token=token))["statusCode"] for _ in range(4)]
    assert codes == [401, 401, 401, 429]


def test_a_view_without_tokens_keeps_the_limit(user, use_view):
    use_view(type("Cookies", (ChatView,), {"USE_WS_TOKEN": False}))
    codes = [invoke(connect_event(channel="general"))["statusCode"] for _ in range(22)]
    assert codes == [403] * 20 + [429] * 2
    assert invoke(connect_event())["statusCode"] == 429, "whatever it asks for"


# Refusing gets cheaper as it repeats


def test_connects_without_a_token_cost_nothing_once_the_limit_is_reached(ws_requests):
    invoke(connect_event())  # the process learns of gateways
    for _ in range(19):
        assert cost(ws_requests, connect_event()) == (401, ["UpdateItem"])
    assert cost(ws_requests, connect_event()) == (429, [])
    assert cost(ws_requests, connect_event(token="x")) == (429, [])
    assert cost(ws_requests, connect_event(channel="a b")) == (400, [])


def test_invented_tokens_cost_a_read_and_no_write_once_the_limit_is_reached(ws_requests):
    invoke(connect_event(token="f" * 64))  # the process learns of gateways
    for token in (f"{n:064x}" for n in range(19)):
        assert cost(ws_requests, connect_event(token=token)) == (401, ["BatchGetItem", "UpdateItem"])
    assert cost(ws_requests, connect_event(token="a" * 64)) == (429, ["BatchGetItem"])
    for remembered in (rate_limits.refused_places, rate_limits.refused_tokens, rate_limits.full_users):
        remembered.forget()
    assert cost(ws_requests, connect_event(token="b" * 64)) == (429, ["BatchGetItem"]), "in another process"
    assert cost(ws_requests, connect_event()) == (429, [])
    assert refusals() == 20


def test_one_token_is_not_refused_without_end(user, ws_requests, settings, use_view):
    settings.WS_LAMBDA = {"REFUSALS_PER_MINUTE": 3}
    use_view(Busy)
    token = mint_token(user)
    assert [invoke(connect_event(token=token))["statusCode"] for _ in range(3)] == [403] * 3
    assert cost(ws_requests, connect_event(token=token)) == (429, [])
    use_view(ChatView)
    assert invoke(connect_event(token=mint_token(user)))["statusCode"] == 200, "another token of theirs is another try"


def test_an_account_with_every_connection_open_costs_less_when_it_tries_again(user, ws_requests, settings):
    settings.WS_LAMBDA = {"CONNECTIONS_PER_USER": 1, "REFUSALS_PER_MINUTE": 2}
    invoke(connect_event(token=mint_token(user)))
    first, second = mint_token(user), mint_token(user)
    costs = [cost(ws_requests, connect_event("C2=", token=first)) for _ in range(3)]
    connect = ["BatchGetItem", "TransactWriteItems"]
    assert costs == [
        (429, [*connect, "GetItem", "BatchGetItem", "UpdateItem"]),
        (429, [*connect, "UpdateItem"]),
        (429, []),
    ]
    assert cost(ws_requests, connect_event("C2=", token=second)) == (429, connect)


def test_a_process_remembers_a_bounded_number_for_a_minute(monkeypatch):
    known = rate_limits.Remembered()
    monkeypatch.setattr(known, "MOST", 3)
    for n in range(5):
        known.note(f"203.0.113.{n}", n + 1)
    known.note("203.0.113.0", 7)
    assert [known.hits(f"203.0.113.{n}") for n in range(5)] == [7, 2, 3, 0, 0]
    later = clock.now() + 60
    monkeypatch.setattr(clock, "now", lambda: later)
    assert known.hits("203.0.113.0") == 0
    known.note("203.0.113.4", 1)
    assert known.hits("203.0.113.4") == 1


def test_a_child_process_and_a_restored_one_remember_nothing():
    for forget in (snapstart.after_restore, None):
        rate_limits.refused_places.note("203.0.113.9", 5)
        if forget:
            forget()
            assert rate_limits.refused_places.hits("203.0.113.9") == 0
        elif (child := os.fork()) == 0:
            os._exit(rate_limits.refused_places.hits("203.0.113.9"))
        else:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
