"""S7: a login that ends in its session engine without a signal. docs/contract.md 25, 37."""

from importlib import import_module

import pytest
from django.contrib.sessions.backends import cache as cache_sessions
from django.contrib.sessions.backends.base import SessionBase

from tests.security.login_story import COOKIE, Browser, is_open
from ws_lambda import housekeeping
from ws_lambda.gatekeeping import logins, revocation
from ws_lambda.models import WebSocketSession
from ws_lambda.testing import connect_event, invoke, message_event

pytestmark = [pytest.mark.usefixtures("ws_tables", "everyone_open"), pytest.mark.urls("tests.security.login_story")]


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
        codes = [invoke(message_event({"action": "chat"}, name))["statusCode"] for name in ("A=", "B=")]
        assert codes == [400, 200]
    else:
        pruned = housekeeping.run()
        assert (pruned.evicted, pruned.unchecked) == (1, 0)
    assert (dropped, is_open("A="), is_open("B=")) == (["A="], False, True)


def test_a_login_that_lives_on_under_a_newer_key_is_left(browser, dropped, later):
    browser.open("A=")
    browser.get("/cycle/")
    browser.open("B=")
    later(61)
    assert housekeeping.run().evicted == 0
    assert dropped == []


def test_a_key_that_was_changed_without_a_connect_since_is_known_to_our_own_engine(browser, dropped, later, bob):
    browser.open("A=")
    browser.get("/cycle/")
    later(61)
    assert housekeeping.run().evicted == 0
    browser.log_in("bob")
    assert dropped == ["A="], "replaced, under the newer key"


def test_the_engine_is_asked_once_for_a_login(browser, ws_tables, later, monkeypatch):
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
def test_a_failing_session_engine_closes_no_connection(
    browser, dropped, later, monkeypatch, caplog, engine, speaks
):  # fmt: skip
    browser.open("A=")
    Browser().log_in("ann").open("B=")
    monkeypatch.setattr(logins, "_session_class", lambda: engine)
    later(revocation.LOGIN_SECONDS + 61)
    if speaks:
        assert invoke(message_event({"action": "chat"}, "A="))["statusCode"] == 200
    else:
        pruned = housekeeping.run()
        assert (pruned.evicted, pruned.unchecked) == (0, 2)
    assert (dropped, is_open("A="), is_open("B=")) == ([], True, True)
    assert [one for one in caplog.records if one.levelname == "ERROR"]
    assert "is down" in str([one.exc_info for one in caplog.records if one.levelname == "ERROR"])


def test_an_engine_without_a_store_ends_logins_by_signal(ann, bob, dropped, later, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    browser = Browser().log_in("ann")
    assert browser.open("A=").login_proof is None
    later(61)
    assert housekeeping.run().evicted == 0
    browser.get("/cycle/")
    token = browser.token()
    assert invoke(connect_event("B=", token=token, headers={"Cookie": f"{COOKIE}={browser.key}"}))["statusCode"] == 200
    browser.log_in("bob")
    assert sorted(dropped) == ["A=", "B="], "replaced"
    browser.open("C=")
    browser.post("/flush/")
    assert is_open("C=")
