"""A session and its user, and the classes that reading one gives."""

import pytest

from tests import backends
from ws_lambda.models import SessionQuerySet, WebSocketSession
from ws_lambda.tables.sessions import SessionRow
from ws_lambda.testing import connect_event, invoke, mint_token


@pytest.fixture
def session(ws_tables, user):
    invoke(connect_event("C1=", token=mint_token(user)))
    return WebSocketSession.get("C1=")


def test_the_user_is_read_once(session, user, monkeypatch):
    read = []
    monkeypatch.setattr("ws_lambda.models.session.load_user", lambda *owner: read.append(owner) or user)
    assert (session.user, session.user) == (user, user)
    assert read == [("7", session.auth_backend)]


@pytest.mark.parametrize("handed", [None, "somebody"])
def test_a_user_who_was_handed_over_is_not_read(session, monkeypatch, handed):
    monkeypatch.setattr("ws_lambda.models.session.load_user", lambda *_owner: pytest.fail("nobody is read"))
    session.user = handed
    assert session.user == handed


def test_a_user_who_was_handed_over_is_not_stored_and_no_other_sessions(session):
    session.user = "somebody"
    session.save()
    assert WebSocketSession.get("C1=").user == backends.people["7"]


def test_an_index_and_the_selection_yield_sessions_that_can_act(session):
    (by_index,) = WebSocketSession.by_user.query("7")
    (selected,) = WebSocketSession.objects.filter(user="7")
    assert (type(by_index), type(selected)) == (WebSocketSession, WebSocketSession)
    (row,) = SessionRow.by_user.query("7")
    assert type(row) is SessionRow


def test_the_selection_is_that_of_its_class_however_it_is_reached(session):
    assert isinstance(WebSocketSession.objects, SessionQuerySet)
    assert repr(session.objects) == repr(WebSocketSession.objects) == "<SessionQuerySet all>"


def test_a_session_that_is_not_there_is_that_of_its_class(ws_tables):
    with pytest.raises(WebSocketSession.DoesNotExist):
        WebSocketSession.get("nobody")
    with pytest.raises(WebSocketSession.DoesNotExist):
        WebSocketSession.objects.get(connection_id="nobody")
