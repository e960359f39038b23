"""The session engine: Django's contract for one."""

import random

import pytest
from django.contrib.sessions.backends.base import CreateError, UpdateError
from pynamodb.exceptions import PutError

from tests.unit.session_store.conftest import keys, stored
from ws_lambda import session_store
from ws_lambda.exceptions import SessionTooLarge
from ws_lambda.session_store import DjangoSession, SessionStore


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
def test_a_key_that_cannot_be_stored_is_no_session(key: str | None, ws_requests: list[str]) -> None:
    ws_requests.clear()
    session = SessionStore(key)
    assert session.session_key is None
    assert session.get("a") is None
    assert not session.exists(key or "")
    session.delete(key)
    assert ws_requests == []


def test_an_update_replaces_the_stored_values() -> None:
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


def test_a_session_too_large_for_an_item_says_so_before_anything_is_sent(ws_requests: list[str]) -> None:
    session = stored(a=1)
    ws_requests.clear()
    session["a"] = incompressible(500_000)
    with pytest.raises(SessionTooLarge, match=r"400,000.*elsewhere"):
        session.save()
    assert ws_requests == []


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
    return "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=size))
