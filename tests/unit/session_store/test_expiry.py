"""When a session ends, and what becomes of it then."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.utils import timezone

from tests.unit.session_store.conftest import keys, stored
from ws_lambda import clock
from ws_lambda.session_store import DjangoSession, SessionStore


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the package's clock on by so many seconds; from now on it stands still in between."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)

    def move(seconds: float) -> None:
        nonlocal moment
        moment += seconds

    return move


def test_expiry_is_a_matter_of_time_not_of_deletion(advance: Any) -> None:
    session = stored(a=1)
    session.set_expiry(60)
    session.save()
    advance(58)
    assert SessionStore(session.session_key).get("a") == 1
    assert SessionStore().exists(session.session_key or "")
    advance(3)
    assert keys() == {session.session_key}
    assert SessionStore(session.session_key).get("a") is None
    assert not SessionStore().exists(session.session_key or "")


def test_a_session_that_expired_since_it_was_read_cannot_be_saved(advance: Any) -> None:
    session = stored(a=1)
    session.set_expiry(60)
    session.save()
    advance(61)
    with pytest.raises(UpdateError):
        session.save()


@pytest.mark.parametrize("use_tz", [True, False])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_a_moment_and_a_span_of_time_set_the_expiry(settings: Any, use_tz: bool, zone: str) -> None:
    settings.USE_TZ = use_tz
    settings.TIME_ZONE = zone
    for value in (timedelta(hours=2), timezone.now() + timedelta(hours=2), 7200):
        session = stored()
        session.set_expiry(value)
        session.save()
        expires = DjangoSession.get(session.session_key).expires_at
        assert abs(expires - clock.utcnow() - timedelta(hours=2)) < timedelta(minutes=1)


def test_the_default_expiry_is_the_cookies_age(settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 1000
    expires = DjangoSession.get(stored().session_key).expires_at
    assert abs(expires - clock.utcnow() - timedelta(seconds=1000)) < timedelta(minutes=1)


def test_the_table_expires_by_ttl() -> None:
    described = DjangoSession._get_connection().connection.client.describe_time_to_live(
        TableName=DjangoSession.Meta.table_name
    )
    assert described["TimeToLiveDescription"]["AttributeName"] == "expires_at"


def test_clearsessions_deletes_the_expired_and_no_others(advance: Any, settings: Any) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.sessions"]  # the command is that app's
    short = [stored(n=n) for n in range(30)]
    for session in short:
        session.set_expiry(10)
        session.save()
    kept = stored(a=1)
    advance(11)
    call_command("clearsessions")
    assert keys() == {kept.session_key}
