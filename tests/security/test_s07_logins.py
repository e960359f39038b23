"""S7: a login is more than its session key, and ends in more ways than by a logout. CONTRACT 25, 38."""

from importlib import import_module

import pytest
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.auth.views import LoginView
from django.contrib.sessions.backends import cache as cache_sessions
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from tests import wire
from tests.urls import ChatView
from ws_lambda import clock, housekeeping
from ws_lambda.gatekeeping import logins, revocation
from ws_lambda.models import WebSocketSession
from ws_lambda.models.tokens import digest

COOKIE = "sessionid"


def cycle(request):
    """A step of a login that changes the session key, as two-factor packages do."""
    request.session.cycle_key()
    return HttpResponse()


def flush(request):
    request.session.flush()
    return HttpResponse()


def who(request):
    return HttpResponse(str(request.user))


urlpatterns = [
    path("login/", LoginView.as_view(success_url="/who/", next_page="/who/")),
    path("cycle/", cycle),
    path("flush/", flush),
    path("who/", who),
    path("ws/<slug:route>", ChatView.as_view()),
    path("", include("ws_lambda.urls")),
]

pytestmark = [pytest.mark.usefixtures("tables"), pytest.mark.urls(__name__)]


@pytest.fixture
def later(monkeypatch):
    """Moves the clock."""
    real, moved = clock.now, [0.0]
    monkeypatch.setattr(clock, "now", lambda: real() + moved[0])

    def by(seconds):
        moved[0] += seconds

    return by


class Browser(Client):
    """Logs in by Django's own page, cookies and all."""

    def log_in(self, name):
        answer = self.post("/login/", {"username": name, "password": f"secret-{name}"})
        assert answer.status_code == 302, answer.content
        return self

    @property
    def key(self):
        return self.cookies[COOKIE].value

    def token(self):
        return self.post("/api/ws-token/").json()["token"]

    def open(self, connection_id):
        assert wire.connect(connection_id, token=self.token())["statusCode"] == 200
        return WebSocketSession.get(connection_id, consistent_read=True)


@pytest.fixture
def ann(tables):
    return get_user_model().objects.create_user("ann", password="secret-ann")


@pytest.fixture
def bob(tables):
    return get_user_model().objects.create_user("bob", password="secret-bob")


@pytest.fixture
def browser(ann, dropped):
    return Browser().log_in("ann")


def is_open(connection_id):
    return WebSocketSession.get(connection_id, consistent_read=True).connected


def test_no_usable_key_is_in_the_row(browser, tables):
    session = browser.open("A=")
    stored = str(session.serialize())
    assert session.login_proof
    assert browser.key not in stored
    assert digest(browser.key) not in stored
    assert session.login_id == browser.session[logins.SESSION_KEY]


def test_logout_after_the_key_was_changed(browser, dropped):
    browser.open("A=")
    before = browser.key
    browser.get("/cycle/")
    assert browser.key != before
    browser.open("B=")
    browser.logout()
    assert sorted(dropped) == ["A=", "B="]


def test_logout_after_the_secret_was_rotated(browser, dropped, settings):
    browser.open("A=")
    before = browser.key
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the-next-secret-of-the-tests"
    assert browser.get("/who/").content == b"ann"
    assert browser.key != before, "Django changes the key of a login that it knows by an older secret"
    browser.logout()
    assert dropped == ["A="]


def test_logging_in_again_as_the_same_user_closes_nothing(browser, dropped):
    browser.open("A=")
    browser.log_in("ann")
    assert (dropped, is_open("A=")) == ([], True)


def test_a_login_that_is_replaced_by_another_closes_its_sockets(browser, bob, dropped):
    browser.open("A=")
    other = Browser().log_in("ann")
    other.open("B=")
    browser.log_in("bob")
    assert dropped == ["A="], "and not those of another login of the same user"
    browser.open("C=")
    assert is_open("C=")


def test_a_replaced_logins_token_is_worthless(browser, bob):
    token = browser.token()
    browser.log_in("bob")
    assert wire.connect(token=token)["statusCode"] == 401


def test_a_login_goes_on_although_dynamodb_does_not_answer(browser, bob, monkeypatch, caplog):
    def down(_cookie):
        raise ConnectionError("no answer")

    monkeypatch.setattr("ws_lambda.gatekeeping.signals.login_behind", down)
    browser.log_in("bob")
    assert browser.get("/who/").content == b"bob"
    assert "could not be closed" in caplog.text


def test_a_cookie_of_the_login_is_accepted_after_its_key_was_changed(browser, tables):
    token = browser.token()
    tables.clear()
    assert wire.connect("A=", token=token, headers={"Cookie": f"{COOKIE}={browser.key}"})["statusCode"] == 200
    assert tables.count("GetItem") == 1, "the user: the cookie is the token's own"
    token = browser.token()
    browser.get("/cycle/")
    assert wire.connect("B=", token=token, headers={"Cookie": f"{COOKIE}={browser.key}"})["statusCode"] == 200
    token = browser.token()
    other = Browser().log_in("ann")
    for cookie in (other.key, "x" * 32):
        refused = wire.connect("C=", token=token, headers={"Cookie": f"{COOKIE}={cookie}"})
        assert refused["statusCode"] == 401, "of another login"


@pytest.mark.parametrize("end", ["flushed", "expired", "deleted"])
@pytest.mark.parametrize("speaks", [False, True])
def test_a_login_that_ends_in_the_store_is_found(browser, dropped, later, end, speaks):
    browser.open("A=")
    Browser().log_in("ann").open("B=")
    match end:
        case "flushed":
            browser.get("/flush/")
        case "expired":
            store = browser.session
            store.set_expiry(60)
            store.save()
        case "deleted":
            browser.session.delete(browser.key)
    later(revocation.LOGIN_SECONDS + 61)
    if speaks:
        codes = [wire.message({"action": "chat"}, name)["statusCode"] for name in ("A=", "B=")]
        assert codes == [400, 200]
    else:
        pruned = housekeeping.run()
        assert (pruned.put_out, pruned.unjudged) == (1, 0)
    assert (dropped, is_open("A="), is_open("B=")) == (["A="], False, True)


def test_a_login_that_lives_on_under_a_newer_key_is_left(browser, dropped, later):
    browser.open("A=")
    browser.get("/cycle/")
    browser.open("B=")
    later(61)
    assert housekeeping.run().put_out == 0
    assert dropped == []


def test_a_key_that_was_changed_without_a_connect_since_is_known_to_our_own_engine(browser, dropped, later, bob):
    browser.open("A=")
    browser.get("/cycle/")
    later(61)
    assert housekeeping.run().put_out == 0
    browser.log_in("bob")
    assert dropped == ["A="], "replaced, under the newer key"


def test_the_engine_is_asked_once_for_a_login(browser, tables, later, monkeypatch):
    for number in range(6):
        browser.open(f"A{number}=")
    asked = []
    store = import_module("ws_lambda.session_store").SessionStore
    real = store.load
    monkeypatch.setattr(store, "load", lambda self: asked.append(self.session_key) or real(self))
    later(61)
    housekeeping.run()
    shards = {one.live_shard for one in WebSocketSession.scan()}
    assert 1 <= len(asked) <= len(shards), "once for each page of the walk at most"


class Broken(SessionBase):
    """A session engine whose database is down."""

    asked = 0

    def __init__(self, session_key=None):
        super().__init__(session_key)

    def load(self):
        type(self).asked += 1
        raise ConnectionError("the database of sessions is down")

    def exists(self, session_key):
        raise ConnectionError("the database of sessions is down")


class BrokenCache(cache_sessions.SessionStore):
    """Django's own takes a cache that is down for one that has no session."""

    def load(self):
        self._session_key = None
        return {}

    def exists(self, session_key):
        raise ConnectionError("the cache is down")


@pytest.mark.parametrize("engine", [Broken, BrokenCache])
@pytest.mark.parametrize("speaks", [False, True])
def test_an_engine_that_fails_puts_nobody_out(
    browser, dropped, later, monkeypatch, caplog, engine, speaks
):  # fmt: skip
    browser.open("A=")
    Browser().log_in("ann").open("B=")
    monkeypatch.setattr(logins, "_session_class", lambda: engine)
    later(revocation.LOGIN_SECONDS + 61)
    if speaks:
        assert wire.message({"action": "chat"}, "A=")["statusCode"] == 200
    else:
        pruned = housekeeping.run()
        assert (pruned.put_out, pruned.unjudged) == (0, 2)
    assert (dropped, is_open("A="), is_open("B=")) == ([], True, True)
    assert [one for one in caplog.records if one.levelname == "ERROR"]
    assert "is down" in str([one.exc_info for one in caplog.records if one.levelname == "ERROR"])


def test_an_engine_without_a_store_ends_logins_by_signal(ann, bob, dropped, later, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    browser = Browser().log_in("ann")
    assert browser.open("A=").login_proof is None
    later(61)
    assert housekeeping.run().put_out == 0
    browser.get("/cycle/")
    token = browser.token()
    assert wire.connect("B=", token=token, headers={"Cookie": f"{COOKIE}={browser.key}"})["statusCode"] == 200
    browser.log_in("bob")
    assert sorted(dropped) == ["A=", "B="], "replaced"
    browser.open("C=")
    browser.post("/flush/")
    assert is_open("C=")


def change_nothing(_user):
    pass


def deactivate(user):
    user.is_active = False


def change_password(user):
    user.set_password("another")


@pytest.mark.parametrize(("change", "status"), [(change_nothing, 200), (deactivate, 401), (change_password, 401)])
def test_who_is_saved_between_being_read_and_the_transaction(ann, browser, monkeypatch, change, status):
    """The connect has read its user; then the user changes; then the connect goes on."""
    from ws_lambda.gatekeeping import admission

    real = admission.owner_still_valid

    def read_then_change(*args):
        found = real(*args)
        monkeypatch.setattr(admission, "owner_still_valid", real)
        fresh = get_user_model().objects.get(pk="ann")
        change(fresh)
        fresh.save()
        return found

    token = browser.token()
    monkeypatch.setattr(admission, "owner_still_valid", read_then_change)
    assert wire.connect("A=", token=token)["statusCode"] == status
    assert [one.connection_id for one in WebSocketSession.scan()] == (["A="] if status == 200 else [])


def test_who_is_deleted_between_being_read_and_the_transaction(ann, browser, monkeypatch):
    from ws_lambda.gatekeeping import admission

    real = admission.owner_still_valid

    def read_then_delete(*args):
        found = real(*args)
        get_user_model().objects.get(pk="ann").delete()
        return found

    token = browser.token()
    monkeypatch.setattr(admission, "owner_still_valid", read_then_delete)
    assert wire.connect("A=", token=token)["statusCode"] == 401
    assert list(WebSocketSession.scan()) == []


def test_who_may_log_in_again_gets_in_at_once(ann, browser, later):
    ann.is_active = False
    ann.save()
    token = browser.token
    ann.is_active = True
    ann.save()
    assert wire.connect("A=", token=token())["statusCode"] == 200
    ann.set_password("secret-new")
    ann.save()
    again = Browser()
    again.post("/login/", {"username": "ann", "password": "secret-new"})
    again.open("B=")


def test_a_change_that_sends_no_signal_is_not_held_against_a_login_for_long(ann, browser, later):
    ann.is_active = False
    ann.save()
    from ws_lambda.users.tables import UserItem

    UserItem("ann").update([UserItem.is_active.set(True)])
    assert wire.connect("A=", token=browser.token())["statusCode"] == 401
    later(61)
    assert wire.connect("A=", token=browser.token())["statusCode"] == 200


def test_a_view_without_tokens_binds_its_sockets_to_the_login_too(ann, bob, browser, dropped, monkeypatch, tables):
    monkeypatch.setattr(ChatView, "USE_WS_TOKEN", False)
    cookie = {"Cookie": f"{COOKIE}={browser.key}"}
    tables.clear()
    assert wire.connect("A=", headers=cookie)["statusCode"] == 200
    assert tables.count("TransactWriteItems") == 1
    assert "PutItem" not in tables, "the session had its login's id"
    session = WebSocketSession.get("A=", consistent_read=True)
    assert (session.login_id, bool(session.login_proof)) == (browser.session[logins.SESSION_KEY], True)
    browser.log_in("bob")
    assert dropped == ["A="]


def test_a_login_from_before_this_package_is_named_by_its_key_and_keeps_the_name(ann, browser, dropped):
    store = browser.session
    del store[logins.SESSION_KEY]
    store.save()
    assert HASH_SESSION_KEY in store
    assert browser.open("A=").login_id == digest(browser.key)
    browser.get("/cycle/")
    browser.logout()
    assert dropped == ["A="]


def test_a_logout_of_a_session_that_has_expired_meanwhile(browser, dropped, later):
    from django.contrib.auth.signals import user_logged_out
    from django.http import HttpRequest

    from ws_lambda.session_store import SessionStore

    browser.open("A=")
    key = browser.key
    browser.session.delete(key)
    request = HttpRequest()
    request.COOKIES[COOKIE] = key
    request.session = SessionStore(key)
    user_logged_out.send(sender=None, request=request, user=None)
    assert dropped == ["A="]
