"""S7: logout, deactivation and a new password close the connections. CONTRACT 11, 25."""

import pytest
from django.contrib.auth import get_user_model, user_logged_out
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from tests import wire
from ws_lambda import clock, delivery
from ws_lambda.models import WebSocketSession
from ws_lambda.session_store import SessionStore

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def dropped(monkeypatch):
    """Connections whose sockets were closed, as `@connections` was told."""
    closed = []

    def close(recipients):
        named = [one.connection_id for one in recipients]
        closed.extend(named)
        return delivery.DeliveryReport(sent=len(named))

    monkeypatch.setattr(delivery, "close", close)
    return closed


def is_open(connection_id):
    return WebSocketSession.get(connection_id, consistent_read=True).connected


def log_out(session_key, user):
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user_logged_out.send(sender=type(user), request=request, user=user)


def test_25_logout_closes_that_logins_connections_only(user, dropped):
    wire.connect("A=", token=wire.mint(user, session_key="login-one"))
    wire.connect("B=", token=wire.mint(user, session_key="login-one"))
    wire.connect("C=", token=wire.mint(user, session_key="login-two"))
    log_out("login-one", user)
    assert sorted(dropped) == ["A=", "B="]
    assert [is_open(name) for name in ("A=", "B=", "C=")] == [False, False, True]


def test_a_token_of_a_login_that_ended_is_worthless(user, dropped):
    token = wire.mint(user, session_key="login-one")
    log_out("login-one", user)
    assert wire.connect(token=token)["statusCode"] == 401
    assert wire.connect("B=", token=wire.mint(user, session_key="login-two"))["statusCode"] == 200


def test_a_connection_that_the_index_did_not_show_yet_is_found_when_it_speaks(user, dropped, monkeypatch):
    wire.connect("A=", token=wire.mint(user, session_key="login-one"))
    monkeypatch.setattr(WebSocketSession.by_login, "query", lambda key: [])
    log_out("login-one", user)
    assert is_open("A=")
    later = clock.now() + 61
    monkeypatch.setattr(clock, "now", lambda: later)
    assert wire.message({"action": "chat"}, "A=")["statusCode"] == 400
    assert (is_open("A="), dropped) == (False, ["A="])


@pytest.mark.parametrize("fields", [None, ["password"], ["is_active", "email"]])
def test_a_saved_user_whose_logins_no_longer_hold(user, dropped, fields):
    wire.connect("A=", token=wire.mint(user))
    user.is_active = False
    post_save.send(get_user_model(), instance=user, created=False, update_fields=fields)
    assert (is_open("A="), dropped) == (False, ["A="])


def test_a_new_password_spares_the_logins_that_have_it(user, dropped):
    wire.connect("A=", token=wire.mint(user))
    user.set_password("new")
    wire.connect("B=", token=wire.mint(user))
    post_save.send(get_user_model(), instance=user, created=False, update_fields=None)
    assert dropped == ["A="]


def test_what_ends_no_login_costs_nothing(user, dropped, tables):
    wire.connect("A=", token=wire.mint(user))
    tables.clear()
    post_save.send(get_user_model(), instance=user, created=False, update_fields=["last_login"])
    post_save.send(get_user_model(), instance=user, created=True, update_fields=None)
    assert tables == []
    assert is_open("A=")


def test_a_deleted_user(user, dropped):
    wire.connect("A=", token=wire.mint(user))
    post_delete.send(get_user_model(), instance=user)
    assert (is_open("A="), dropped) == (False, ["A="])


def test_disconnecting_a_session_closes_its_socket(user, dropped):
    wire.connect("A=", token=wire.mint(user))
    assert WebSocketSession.get("A=").disconnect().sent == 1
    assert (is_open("A="), dropped) == (False, ["A="])
