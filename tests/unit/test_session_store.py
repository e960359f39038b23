"""The session engine: Django's contract for one, and what DynamoDB adds to it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone
from pynamodb.exceptions import PutError

from ws_lambda import clock, session_store
from ws_lambda.exceptions import SessionTooLarge
from ws_lambda.models.django_sessions import DjangoSession
from ws_lambda.session_store import SessionStore


@pytest.fixture(autouse=True)
def table(dynamodb: None) -> None:
    DjangoSession.create_table(billing_mode="PAY_PER_REQUEST")


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the package's clock on by so many seconds."""

    def move(seconds: float) -> None:
        now = clock.now() + seconds
        monkeypatch.setattr(clock, "now", lambda: now)

    return move


def stored(**data: Any) -> SessionStore:
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def keys() -> set[str]:
    return {item.session_key for item in DjangoSession.scan()}


def test_a_saved_session_is_read_back() -> None:
    session = stored(colour="red", count=3)
    again = SessionStore(session.session_key)
    assert (again["colour"], again["count"]) == ("red", 3)
    assert again.session_key == session.session_key


def test_the_key_is_random_and_of_djangos_form() -> None:
    first, second = stored().session_key, stored().session_key
    assert first != second
    assert first is not None
    assert len(first) == 32


def test_an_unknown_key_loads_empty_and_is_not_adopted() -> None:
    session = SessionStore("an-invented-key-1234")
    assert session.load() == {}
    assert session.session_key is None
    session["a"] = 1
    session.save()
    assert session.session_key != "an-invented-key-1234"


@pytest.mark.parametrize("key", ["k" * 2049, "é" * 1025, "bad\ud800surrogate", "short", "", None])
def test_a_key_that_cannot_be_stored_is_no_session(key: str | None, calls: list[str]) -> None:
    calls.clear()
    session = SessionStore(key)
    assert session.session_key is None
    assert session.get("a") is None
    assert not session.exists(key or "")
    session.delete(key)
    assert calls == []


def test_an_update_replaces_what_was_stored() -> None:
    session = stored(a=1, b=2)
    del session["b"]
    session["a"] = 5
    session.save()
    assert dict(SessionStore(session.session_key).items()) == {"a": 5}


def test_a_deleted_session_is_not_resurrected() -> None:
    session = stored(a=1)
    SessionStore(session.session_key).delete()
    session["a"] = 2
    with pytest.raises(UpdateError):
        session.save()
    assert keys() == set()


def test_saving_a_session_that_is_gone_before_it_was_loaded_is_an_update_error() -> None:
    key = stored(a=1).session_key
    session = SessionStore(key)
    SessionStore(key).delete()
    with pytest.raises(UpdateError):
        session.save()


def test_a_taken_key_is_a_create_error() -> None:
    taken = stored(a=1).session_key
    session = SessionStore(taken)
    with pytest.raises(CreateError):
        session.save(must_create=True)
    assert SessionStore(taken)["a"] == 1


def test_create_tries_another_key_where_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = stored(a=1).session_key
    proposals = iter([taken, taken, "a-fresh-key-12345"])
    monkeypatch.setattr(SessionStore, "_get_new_session_key", lambda self: next(proposals))
    session = SessionStore()
    session.create()
    assert session.session_key == "a-fresh-key-12345"
    assert session.modified


def test_another_failure_of_dynamodb_is_not_taken_for_a_conflict() -> None:
    session = stored(a=1)
    DjangoSession.delete_table()
    with pytest.raises(PutError):
        session.save()


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


def test_cycle_key_keeps_the_data_and_drops_the_old_key() -> None:
    session = stored(a=1)
    old = session.session_key
    session.cycle_key()
    assert keys() == {session.session_key} != {old}
    assert SessionStore(session.session_key)["a"] == 1


def test_flush_deletes_and_forgets() -> None:
    session = stored(a=1)
    session.flush()
    assert keys() == set()
    assert session.session_key is None
    assert session.is_empty()


def test_delete_by_key_and_of_nothing() -> None:
    kept, gone = stored(a=1), stored(a=2)
    kept.delete(gone.session_key)
    SessionStore().delete()
    SessionStore().delete("never-was-there")
    assert keys() == {kept.session_key}


def test_tampered_data_is_an_empty_session(caplog: pytest.LogCaptureFixture) -> None:
    session = stored(a=1)
    item = DjangoSession.get(session.session_key)
    item.session_data += "x"
    item.save()
    assert SessionStore(session.session_key).get("a") is None
    assert "Session data corrupted" in caplog.text


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


def test_a_session_too_large_for_an_item_says_so_before_anything_is_sent(calls: list[str]) -> None:
    session = stored(a=1)
    calls.clear()
    session["a"] = incompressible(500_000)
    with pytest.raises(SessionTooLarge, match=r"400,000.*elsewhere"):
        session.save()
    assert calls == []


def test_the_largest_session_that_is_let_through_is_one_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is ours to compute and DynamoDB's to enforce: moto refuses what is over it."""
    session = SessionStore()
    session.create()
    room = session_store.MAX_ITEM_BYTES - 32 - session_store._OTHER_BYTES
    monkeypatch.setattr(SessionStore, "encode", lambda self, data: "x" * room)
    session.save()
    monkeypatch.setattr(SessionStore, "encode", lambda self, data: "x" * (room + 1))
    with pytest.raises(SessionTooLarge):
        session.save()


def incompressible(size: int) -> str:
    import random

    return "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=size))


def test_what_each_operation_costs(calls: list[str]) -> None:
    session = SessionStore()
    session["a"] = 1

    def cost(action: Any, *args: Any) -> list[str]:
        calls.clear()
        action(*args)
        return list(calls)

    assert cost(session.save) == ["PutItem"]
    assert cost(session.save) == ["PutItem"]
    assert cost(SessionStore(session.session_key).get, "a") == ["GetItem"]
    assert cost(session.get, "a") == []
    assert cost(session.exists, session.session_key) == ["GetItem"]
    assert cost(session.cycle_key) == ["PutItem", "DeleteItem"]
    assert cost(session.flush) == ["DeleteItem"]
    assert cost(SessionStore().cycle_key) == ["PutItem"]
    assert cost(SessionStore().create) == ["PutItem"]
    assert cost(SessionStore.clear_expired) == ["Scan"]


def test_reads_are_consistent(monkeypatch: pytest.MonkeyPatch) -> None:
    session = stored(a=1)
    requests: list[dict[str, Any]] = []
    client = DjangoSession._get_connection().connection.client
    client.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: requests.append(dict(params))
    )
    assert SessionStore(session.session_key)["a"] == 1
    assert [request["ConsistentRead"] for request in requests] == [True]


def respond(session: SessionStore, action: Any) -> HttpResponse:
    """One request through Django's session middleware, with the session's cookie."""
    request = RequestFactory().get("/")
    if session.session_key:
        request.COOKIES["sessionid"] = session.session_key

    def view(request: HttpRequest) -> HttpResponse:
        action(request)
        return HttpResponse()

    response = SessionMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    return response


def test_the_middleware_loads_saves_and_sets_the_cookie(calls: list[str]) -> None:
    session = stored(a=1)
    calls.clear()
    response = respond(session, lambda request: request.session.update({"b": request.session["a"] + 1}))
    assert response.cookies["sessionid"].value == session.session_key
    assert calls == ["GetItem", "PutItem"]
    assert SessionStore(session.session_key)["b"] == 2


def test_an_untouched_session_costs_nothing(calls: list[str]) -> None:
    session = stored(a=1)
    calls.clear()
    assert "sessionid" not in respond(session, lambda request: None).cookies
    assert calls == []


def test_a_logout_during_the_request_wins() -> None:
    session = stored(a=1)

    def write_after_logout(request: HttpRequest) -> None:
        request.session["a"] = 2
        SessionStore(session.session_key).delete()

    with pytest.raises(SessionInterrupted):
        respond(session, write_after_logout)
    assert keys() == set()
