"""docs/contract.md 19: limits of connects and of refusals."""

import pytest

from tests import backends
from tests.flows.conftest import refusals, status
from tests.urls import ChatView
from ws_lambda import clock
from ws_lambda.models import RateLimit
from ws_lambda.tables.rate_limits import current_window
from ws_lambda.testing import connect_event, invoke, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables", "still")


def test_19_too_many_refusals_of_one_address(user):
    for _ in range(20):
        assert status(invoke(connect_event(token="0" * 64))) == 401
    assert status(invoke(connect_event(token="0" * 64))) == 429
    assert status(invoke(connect_event(token="0" * 64, source_ip="198.51.100.1"))) == 401
    assert status(invoke(connect_event(token=mint_token(user)))) == 200, "a valid token passes"


def test_19_a_new_minute_starts_anew_however_often_it_was_tried(user, monkeypatch):
    for _ in range(30):
        invoke(connect_event())
    assert refusals() == 20, "who is refused anyway is not counted further"
    assert status(invoke(connect_event())) == 429
    later = clock.now() + 60
    monkeypatch.setattr(clock, "now", lambda: later)
    assert status(invoke(connect_event())) == 401


def test_19_too_many_connects_of_one_user_from_any_address(user, settings):
    settings.WS_LAMBDA = {"CONNECTS_PER_MINUTE": 3}
    codes = [status(invoke(connect_event(f"C{n}=", token=mint_token(user), source_ip=f"10.0.0.{n}"))) for n in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert RateLimit.get("connect#7", current_window()).hits == 3


def test_19_a_crowd_behind_one_address_is_not_locked_out(people):
    crowd = [backends.add(str(100 + n)) for n in range(30)]
    assert {status(invoke(connect_event(f"C{n}=", token=mint_token(one)))) for n, one in enumerate(crowd)} == {200}


def test_19_limits_of_a_view(user, use_view):
    class Open(ChatView):
        RATE_LIMIT_ENABLED = False

    class Strict(ChatView):
        RATE_LIMIT_REFUSALS_PER_MINUTE = 1

    use_view(Open)
    assert {status(invoke(connect_event())) for _ in range(25)} == {401}
    assert refusals() == 0
    use_view(Strict)
    assert [status(invoke(connect_event())) for _ in range(2)] == [401, 429]
