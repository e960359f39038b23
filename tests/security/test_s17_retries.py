"""S17: a revalidation that fails is repeated soon, before the next interval. docs/contract.md 37."""

from typing import Any

import pytest

from tests import backends
from tests.urls import ChatView
from ws_lambda import clock
from ws_lambda.gatekeeping import revocation
from ws_lambda.models import WebSocketSession
from ws_lambda.testing import connect_event, invoke, message_event, mint_token

pytestmark = pytest.mark.usefixtures("dropped")

MINUTE = 60


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves a clock that otherwise stands still."""
    moment = [clock.now() // 60 * 60]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def by(seconds: float) -> None:
        moment[0] += seconds

    return by


def say() -> int:
    return int(invoke(message_event({"action": "chat"}))["statusCode"])


def row() -> WebSocketSession:
    return WebSocketSession.get("C1=", consistent_read=True)


def break_users(patch: pytest.MonkeyPatch) -> None:
    def down(_self: Any, _user_id: str) -> Any:
        raise ConnectionError("the database of users is down")

    patch.setattr(backends.DictBackend, "get_user", down)


def test_a_user_who_could_not_be_read_is_read_at_a_message_soon_after(
    later: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke(connect_event(token=mint_token(user)))["statusCode"] == 200
    later(MINUTE + 1)
    user.is_active = False
    with monkeypatch.context() as patch:
        break_users(patch)
        assert say() == 500
    later(1)
    assert say() == 200, "no request is added to what is failing"
    later(revocation.RETRY_SECONDS)
    assert say() == 400
    assert not row().connected


def test_it_is_tried_again_and_again_and_then_only_once_in_an_interval(
    later: Any, user: Any, monkeypatch: pytest.MonkeyPatch, ws_requests: list[str]
) -> None:
    assert invoke(connect_event(token=mint_token(user)))["statusCode"] == 200
    later(MINUTE + 1)
    with monkeypatch.context() as patch:
        break_users(patch)
        for _try in range(3):
            assert say() == 500
            later(revocation.RETRY_SECONDS)
    ws_requests.clear()
    for _message in range(4):
        assert say() == 200
        later(revocation.RETRY_SECONDS)
    assert ws_requests.count("BatchGetItem") == 1, "permissions and the login's mark, at the first of them"
    assert row().judge_again_at is None


def test_a_login_whose_engine_failed_is_looked_for_again_soon(
    later: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fail(session: Any) -> bool:
        asked.append(session.connection_id)
        raise ConnectionError("the database of sessions is down")

    assert invoke(connect_event(token=mint_token(user)))["statusCode"] == 200
    later(revocation.LOGIN_SECONDS + 1)
    monkeypatch.setattr(revocation, "goes_on", fail)
    assert say() == 200
    later(revocation.RETRY_SECONDS)
    monkeypatch.setattr(revocation, "goes_on", lambda _session: False)
    assert say() == 400, "not in half an hour"
    assert asked == ["C1="]


def test_a_login_is_looked_for_in_half_an_hour_whatever_the_interval_of_the_user(
    later: Any, user: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The message that begins the half hour need not be one that begins the other interval."""
    settings.WS_LAMBDA = {"REVALIDATE_USER_SECONDS": 7}
    assert invoke(connect_event(token=mint_token(user)))["statusCode"] == 200
    later(1799.5)
    assert say() == 200
    monkeypatch.setattr(revocation, "goes_on", lambda _session: False)
    later(1)
    assert say() == 400


def test_a_view_that_failed_is_asked_again_soon(later: Any, user: Any, use_view: Any) -> None:
    broken = admitted = True

    class Failing(ChatView):
        def can_join_channel(self, request: Any, channel_name: str) -> bool:
            if broken and not admitted:
                raise LookupError("the table of teams is gone")
            return admitted

    use_view(Failing)
    assert invoke(connect_event(token=mint_token(user), channel="general"))["statusCode"] == 200
    later(MINUTE + 1)
    admitted = False
    assert say() == 200
    broken = False
    later(revocation.RETRY_SECONDS)
    assert say() == 403
    assert not row().connected


def test_a_channel_that_could_not_be_taken_away_is_taken_away_soon(
    later: Any, user: Any, use_view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted = True

    class Changing(ChatView):
        def can_join_channel(self, request: Any, channel_name: str) -> bool:
            return admitted or channel_name == "lobby"

    def fail(*_args: Any) -> bool:
        raise ConnectionError("DynamoDB is down")

    use_view(Changing)
    assert invoke(connect_event(token=mint_token(user), channel="lobby"))["statusCode"] == 200
    row().join("team", check=False)
    row().update([WebSocketSession.unjudged_channels.remove()])
    admitted = False
    later(MINUTE + 1)
    with monkeypatch.context() as patch:
        patch.setattr(revocation, "remove_from_channels", fail)
        assert say() == 500
    later(revocation.RETRY_SECONDS)
    assert say() == 200
    assert row().channels == {"lobby"}


def test_a_failure_that_cannot_be_noted_is_raised_all_the_same(
    later: Any, user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: Any, **_more: Any) -> Any:
        raise ConnectionError("DynamoDB is down")

    assert invoke(connect_event(token=mint_token(user)))["statusCode"] == 200
    later(MINUTE + 1)
    break_users(monkeypatch)
    monkeypatch.setattr(WebSocketSession, "update", fail)
    assert say() == 500
    assert "revalidated only in the next interval" in caplog.text
    assert "the database of users is down" in str([one.exc_info for one in caplog.records])
