"""Tokens without a login."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser

from ws_lambda.exceptions import InvalidChannel
from ws_lambda.models import DjangoSession, WebSocketSession
from ws_lambda.tables.tokens import digest
from ws_lambda.testing import connect_event, invoke, mint_token


def test_a_token_opens_one_connection_of_its_user(user):
    token = mint_token(user)
    assert [invoke(connect_event(name, token=token))["statusCode"] for name in ("A=", "B=")] == [200, 401]
    assert WebSocketSession.get("A=").user_id == str(user.pk)


def test_a_token_of_a_channel(user):
    token = mint_token(user, channel="general")
    assert invoke(connect_event(token=token, channel="other"))["statusCode"] == 403
    assert invoke(connect_event(token=token, channel="general"))["statusCode"] == 200


def test_a_token_belongs_to_the_named_login_or_to_one_of_the_users_own(user):
    bob = get_user_model().objects.create_user("bob")
    for name, token in {
        "A=": mint_token(user),
        "B=": mint_token(user),
        "C=": mint_token(bob),
        "D=": mint_token(user, session_key="of a session"),
    }.items():
        assert invoke(connect_event(name, token=token))["statusCode"] == 200
    logins = {name: WebSocketSession.get(name).login_id for name in ("A=", "B=", "C=", "D=")}
    assert logins["A="] == logins["B="] != logins["C="]
    assert logins["D="] == digest("of a session")


def test_one_request_and_no_login(user, ws_requests):
    ws_requests.clear()
    mint_token(user)
    assert ws_requests == ["BatchWriteItem"]
    assert not list(DjangoSession.scan())
    assert get_user_model().objects.get(pk=user.pk).last_login is None


def test_a_token_needs_a_saved_user(ws_requests):
    ws_requests.clear()
    for nobody in (get_user_model()(), AnonymousUser()):
        nobody.pk = None
        with pytest.raises(ValueError, match="not saved"):
            mint_token(nobody)
    assert ws_requests == []


def test_a_token_of_an_invalid_channel_is_refused(user, ws_requests):
    ws_requests.clear()
    with pytest.raises(InvalidChannel):
        mint_token(user, channel="a b")
    assert ws_requests == []
