"""S7: a user who changes between being read by a connect and its transaction. docs/contract.md 25."""

import pytest
from django.contrib.auth import get_user_model

from tests.security.login_story import Browser
from ws_lambda.models import WebSocketSession
from ws_lambda.testing import connect_event, invoke

pytestmark = [pytest.mark.usefixtures("ws_tables"), pytest.mark.urls("tests.security.login_story")]


def change_nothing(_user):
    pass


def deactivate(user):
    user.is_active = False


def change_password(user):
    user.set_password("another")


@pytest.mark.parametrize(("change", "status"), [(change_nothing, 200), (deactivate, 401), (change_password, 401)])
def test_a_user_who_is_saved_between_the_read_and_the_transaction(ann, browser, monkeypatch, change, status):
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
    assert invoke(connect_event("A=", token=token))["statusCode"] == status
    assert [one.connection_id for one in WebSocketSession.scan()] == (["A="] if status == 200 else [])


def test_a_user_who_is_deleted_between_the_read_and_the_transaction(ann, browser, monkeypatch):
    from ws_lambda.gatekeeping import admission

    real = admission.owner_still_valid

    def read_then_delete(*args):
        found = real(*args)
        get_user_model().objects.get(pk="ann").delete()
        return found

    token = browser.token()
    monkeypatch.setattr(admission, "owner_still_valid", read_then_delete)
    assert invoke(connect_event("A=", token=token))["statusCode"] == 401
    assert list(WebSocketSession.scan()) == []


def test_a_user_who_may_log_in_again_gets_in_at_once(ann, browser, later):
    ann.is_active = False
    ann.save()
    token = browser.token
    ann.is_active = True
    ann.save()
    assert invoke(connect_event("A=", token=token()))["statusCode"] == 200
    ann.set_password("secret-new")
    ann.save()
    again = Browser()
    again.post("/login/", {"username": "ann", "password": "secret-new"})
    again.open("B=")


def test_a_change_that_sends_no_signal_is_not_held_against_a_login_for_long(ann, browser, later):
    ann.is_active = False
    ann.save()
    from ws_lambda.users.user_row import UserRow

    UserRow("ann").update([UserRow.is_active.set(True)])
    assert invoke(connect_event("A=", token=browser.token()))["statusCode"] == 401
    later(61)
    assert invoke(connect_event("A=", token=browser.token()))["statusCode"] == 200
