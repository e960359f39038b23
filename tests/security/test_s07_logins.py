"""S7: a login is more than its session key. docs/contract.md 25, 38."""

import pytest
from django.contrib.auth import HASH_SESSION_KEY

from tests.security.login_story import COOKIE, Browser, is_open
from tests.urls import ChatView
from ws_lambda.gatekeeping import logins
from ws_lambda.models import WebSocketSession
from ws_lambda.tables.tokens import digest
from ws_lambda.testing import connect_event, invoke

pytestmark = [pytest.mark.usefixtures("ws_tables"), pytest.mark.urls("tests.security.login_story")]


def test_no_usable_key_is_in_the_row(browser, ws_tables):
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
    assert invoke(connect_event(token=token))["statusCode"] == 401


def test_a_login_goes_on_although_dynamodb_does_not_answer(browser, bob, monkeypatch, caplog):
    def down(_cookie):
        raise ConnectionError("no answer")

    monkeypatch.setattr("ws_lambda.gatekeeping.signals.login_behind", down)
    browser.log_in("bob")
    assert browser.get("/who/").content == b"bob"
    assert "could not be closed" in caplog.text


def test_a_cookie_of_the_login_is_accepted_after_its_key_was_changed(browser, ws_requests):
    token = browser.token()
    ws_requests.clear()
    assert invoke(connect_event("A=", token=token, headers={"Cookie": f"{COOKIE}={browser.key}"}))["statusCode"] == 200
    assert ws_requests.count("GetItem") == 1, "the user: the cookie is the token's own"
    token = browser.token()
    browser.get("/cycle/")
    assert invoke(connect_event("B=", token=token, headers={"Cookie": f"{COOKIE}={browser.key}"}))["statusCode"] == 200
    token = browser.token()
    other = Browser().log_in("ann")
    for cookie in (other.key, "x" * 32):
        refused = invoke(connect_event("C=", token=token, headers={"Cookie": f"{COOKIE}={cookie}"}))
        assert refused["statusCode"] == 401, "of another login"


def test_a_view_without_tokens_binds_its_sockets_to_the_login_too(ann, bob, browser, dropped, monkeypatch, ws_requests):
    monkeypatch.setattr(ChatView, "USE_WS_TOKEN", False)
    cookie = {"Cookie": f"{COOKIE}={browser.key}"}
    ws_requests.clear()
    assert invoke(connect_event("A=", headers=cookie))["statusCode"] == 200
    assert ws_requests.count("TransactWriteItems") == 1
    assert "PutItem" not in ws_requests, "the session had its login's id"
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
