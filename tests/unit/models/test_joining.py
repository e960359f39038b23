"""The row of a connection says who decides about each of its channels."""

import pytest

from ws_lambda.models import WebSocketSession
from ws_lambda.models.joining import change_as_view, leave
from ws_lambda.testing import connect_event, invoke, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables")


@pytest.fixture
def session(user):
    invoke(connect_event(token=mint_token(user), channel="general"))
    return WebSocketSession.get("C1=", consistent_read=True)


def marks(session):
    """Unjudged and joined channels, as the caller's object and the stored row agree on them."""
    stored = WebSocketSession.get("C1=", consistent_read=True)
    both = [(one.channels, one.unjudged_channels, one.joined_channels) for one in (session, stored)]
    assert both[0] == both[1]
    return (stored.unjudged_channels or set(), stored.joined_channels or set())


def test_the_channel_of_the_connect_is_judged_by_the_view(session):
    assert marks(session) == (set(), set())


def test_join_is_judged_by_the_stored_permissions_and_unchecked_by_nobody(session):
    session.join("asked")
    session.join("unasked", check=False)
    assert marks(session) == ({"unasked"}, {"asked"})
    session.leave("unasked")
    session.leave("asked")
    assert marks(session) == (set(), set())


def test_entering_once_more_changes_the_judge_only_to_nobody(session):
    session.join("general")
    session.join("asked")
    session.join("asked")
    assert marks(session) == (set(), {"asked"})
    session.join("general", check=False)
    session.join("asked", check=False)
    assert marks(session) == ({"general", "asked"}, set())
    session.join("asked")
    change_as_view(session, "general")
    assert marks(session) == ({"general", "asked"}, set())


def test_changing_the_channel_changes_its_mark(session):
    session.change_channel("one", check=False)
    assert marks(session) == ({"one"}, set())
    session.change_channel("two", check=False)
    assert marks(session) == ({"two"}, set())
    session.change_channel("three")
    assert marks(session) == (set(), {"three"})
    change_as_view(session, "four")
    assert marks(session) == (set(), set())


def test_two_processes_that_mark_at_once_lose_no_mark(session):
    other = WebSocketSession.get("C1=", consistent_read=True)
    session.join("general", check=False)
    other.join("second", check=False)
    stored = WebSocketSession.get("C1=", consistent_read=True)
    assert stored.unjudged_channels == {"general", "second"}


def test_a_mark_that_outlived_its_channel_is_of_no_use_when_that_is_entered_again(session):
    other = WebSocketSession.get("C1=", consistent_read=True)
    session.join("general", check=False)
    other.leave("general")  # it does not know of the mark
    again = WebSocketSession.get("C1=", consistent_read=True)

    change_as_view(again, "general")

    assert marks(again) == (set(), set())


def test_leaving_several_channels_is_one_transaction(session, ws_requests):
    session.join("second")
    session.join("third", check=False)
    ws_requests.clear()
    leave(session, "general", "third", "never-entered")
    assert ws_requests == ["TransactWriteItems"]
    assert (session.channels, session.channel_name) == ({"second"}, "second")
    assert marks(session) == (set(), {"second"})
