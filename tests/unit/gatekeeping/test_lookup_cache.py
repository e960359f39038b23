"""Users and logins that the schedule reads together, and what it does with an outdated answer."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import UpdateError

from ws_lambda import aws, clock
from ws_lambda.gatekeeping.batch_revalidation import revalidate_many
from ws_lambda.gatekeeping.encryption import decrypt
from ws_lambda.gatekeeping.logins import login_of, proof_of_login
from ws_lambda.gatekeeping.lookup_cache import LookupCache
from ws_lambda.models import WebSocketSession, WebSocketToken, owners
from ws_lambda.models.login_marks import record_ended_login
from ws_lambda.session_store import SessionStore
from ws_lambda.tables import shared_connection
from ws_lambda.testing import connect_event, invoke
from ws_lambda.users.backends import DynamoDBBackend
from ws_lambda.users.user_row import UserRow

NAMES = ("ann", "bob", "cid")
BACKEND = "ws_lambda.users.backends.DynamoDBBackend"


pytestmark = pytest.mark.usefixtures("everyone_open")


@pytest.fixture
def opened(ws_requests: list[str], monkeypatch: pytest.MonkeyPatch) -> list[WebSocketSession]:
    """A connection of each of three users, every one with a Django session."""
    found = []
    for name in NAMES:
        user = get_user_model().objects.create_user(name, password="x")
        store = SessionStore()
        store.create()
        token = WebSocketToken.mint(
            user_id=user.pk,
            auth_backend=BACKEND,
            auth_hash=user.get_session_auth_hash(),
            session_key=store.session_key,
            login_id=login_of(store),
            login_proof=proof_of_login(store),
        )
        store.save()
        assert invoke(connect_event(f"{name}=", token=token))["statusCode"] == 200
        found.append(WebSocketSession.get(f"{name}=", consistent_read=True))
    ws_requests.clear()
    return found


@pytest.fixture
def asked(ws_tables: list[str]) -> Any:
    """The reads so far: operation, table, whether consistent, how many keys."""
    seen: list[tuple[str, str, bool, int]] = []

    def note(params: Any, model: Any, **_kwargs: Any) -> None:
        body = json.loads(params["body"])
        if model.name == "BatchGetItem":
            for table, wanted in body["RequestItems"].items():
                seen.append((model.name, table, wanted.get("ConsistentRead", False), len(wanted["Keys"])))
        elif model.name == "GetItem":
            seen.append((model.name, body["TableName"], body.get("ConsistentRead", False), 1))

    aws.session().register("before-call.dynamodb", note)
    shared_connection.forget_connection()
    yield seen
    aws.session().unregister("before-call.dynamodb", note)


def open_names() -> set[str]:
    return {row.connection_id.rstrip("=") for row in WebSocketSession.scan() if row.connected}


def prefixed(name: str) -> str:
    return WebSocketSession.Meta.table_name.removesuffix("sessions") + name


def test_users_and_logins_are_read_together_at_half_the_price(opened: Any, asked: Any) -> None:
    assert revalidate_many(opened, LookupCache(allow_stale=True)).evicted == 0
    assert [one for one in asked if one[0] == "BatchGetItem"] == [
        ("BatchGetItem", prefixed("users"), False, 3),
        ("BatchGetItem", prefixed("django_sessions"), False, 3),
    ]
    assert [one[1] for one in asked if one[0] == "GetItem"] == [prefixed("rate_limits")], "whether permissions changed"


def test_a_check_after_a_change_reads_consistently(opened: Any, asked: Any) -> None:
    """As when a user is saved: what is a moment old is what was before."""
    revalidate_many(opened)
    assert {one[2] for one in asked if one[1] in (prefixed("users"), prefixed("django_sessions"))} == {True}


def test_all_connections_whose_time_is_over_are_closed(opened: Any) -> None:
    UserRow("ann").update([UserRow.is_active.set(False)])
    SessionStore(key_of(opened[1])).delete()
    assert revalidate_many(opened, LookupCache(allow_stale=True)).evicted == 2
    assert open_names() == {"cid"}


def key_of(session: WebSocketSession) -> str:
    return decrypt(session.login_proof or "") or ""


def test_stale_reads_close_no_connection(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has just been let in again, and one who is not there yet, as a lagging replica shows them."""
    ann, bob, _cid = (get_user_model().objects.get(pk=name) for name in NAMES)
    ann.set_password("older")
    monkeypatch.setattr(DynamoDBBackend, "get_users", lambda _self, _ids: [ann, bob])
    monkeypatch.setattr(SessionStore, "load_many", classmethod(lambda _cls, _keys: {}))
    judged = revalidate_many(opened, LookupCache(allow_stale=True))
    assert (judged.evicted, judged.unchecked) == (0, 0)
    assert open_names() == set(NAMES)


def test_a_login_that_cannot_be_looked_for_has_its_mark_looked_for(opened: Any) -> None:
    """As with an engine that keeps nothing on the server."""
    for one in opened:
        record_ended_login(str(one.login_id))
    opened[0].login_proof = None
    assert revalidate_many(opened, LookupCache(allow_stale=True)).evicted == 1
    assert open_names() == {"bob", "cid"}


def test_an_engine_of_the_projects_own_is_asked_about_each_login(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ws_lambda.gatekeeping.logins._session_class", lambda: Opaque)
    Opaque.loaded = 0
    assert revalidate_many(opened, LookupCache(allow_stale=True)).evicted == 0
    assert Opaque.loaded == 3


class Opaque(SessionStore):
    """A session that is loaded in another way."""

    loaded = 0

    def load(self) -> dict[str, Any]:
        type(self).loaded += 1
        return super().load()


def test_a_backend_that_finds_users_in_its_own_way_is_asked_for_each(opened: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{Strict.__name__}"]
    for one in opened:
        one.auth_backend = settings.AUTHENTICATION_BACKENDS[0]
    revalidate_many(opened, LookupCache(allow_stale=True))
    assert open_names() == {"ann", "cid"}


class Strict(DynamoDBBackend):
    def get_user(self, user_id: Any) -> Any:
        return None if user_id == "bob" else super().get_user(user_id)


def test_an_expired_session_is_not_there(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [key_of(one) for one in opened]
    assert set(SessionStore.load_many([*keys, "short", "no-such-session"])) == set(keys)
    later = clock.now() + timedelta(weeks=3).total_seconds()
    monkeypatch.setattr(clock, "now", lambda: later)
    assert SessionStore.load_many(keys) == {}
    with pytest.raises(UpdateError):
        SessionStore(keys[0]).save()


class Nowhere(DynamoDBBackend):
    """A backend that cannot read one user's record."""

    def get_user(self, user_id: Any) -> Any:
        if user_id == "bob":
            raise ValueError("the record of bob is damaged")
        return super().get_user(user_id)


def test_an_unreadable_user_does_not_keep_others_from_being_judged(
    opened: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{Nowhere.__name__}"]
    for one in opened:
        one.auth_backend = settings.AUTHENTICATION_BACKENDS[0]
    UserRow("cid").update([UserRow.is_active.set(False)])
    judged = revalidate_many([opened[1], opened[0], opened[2]], LookupCache(allow_stale=True))
    assert (judged.evicted, judged.unchecked) == (1, 1)
    assert open_names() == {"ann", "bob"}
    (error,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert "'bob'" in error.getMessage()


def test_an_id_that_no_user_can_have_is_nobodys(ws_tables: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(_self: Any, user_id: str) -> Any:
        raise ValueError(f"Field 'id' expected a number but got {user_id!r}.")

    monkeypatch.setattr(DynamoDBBackend, "get_user", parse)
    assert owners.load_user("x" * 151, BACKEND) is None
    with pytest.raises(ValueError, match="expected a number"):
        owners.load_user("ann", BACKEND)
