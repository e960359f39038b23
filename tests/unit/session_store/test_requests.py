"""What sessions cost in requests to DynamoDB, by themselves and through Django's middleware."""

from typing import Any

import pytest
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tests.unit.session_store.conftest import keys, stored
from ws_lambda.session_store import DjangoSession, SessionStore


def test_what_each_operation_costs(ws_requests: list[str]) -> None:
    session = SessionStore()
    session["a"] = 1

    def cost(action: Any, *args: Any) -> list[str]:
        ws_requests.clear()
        action(*args)
        return list(ws_requests)

    assert cost(session.save) == ["PutItem"]
    assert cost(session.save) == ["PutItem"]
    assert cost(SessionStore(session.session_key).get, "a") == ["GetItem"]
    assert cost(session.get, "a") == []
    assert cost(session.exists, session.session_key) == ["GetItem"]
    assert cost(session.cycle_key) == ["PutItem", "DeleteItem"]
    assert cost(session.flush) == ["DeleteItem"]
    assert cost(SessionStore().cycle_key) == ["PutItem"]
    assert cost(SessionStore().create) == ["PutItem"]
    assert cost(SessionStore.clear_expired) == ["Scan"]


def test_reads_are_consistent(monkeypatch: pytest.MonkeyPatch) -> None:
    session = stored(a=1)
    requests: list[dict[str, Any]] = []
    client = DjangoSession._get_connection().connection.client
    client.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: requests.append(dict(params))
    )
    assert SessionStore(session.session_key)["a"] == 1
    assert [request["ConsistentRead"] for request in requests] == [True]


def respond(session: SessionStore, action: Any) -> HttpResponse:
    """One request through Django's session middleware, with the session's cookie."""
    request = RequestFactory().get("/")
    if session.session_key:
        request.COOKIES["sessionid"] = session.session_key

    def view(request: HttpRequest) -> HttpResponse:
        action(request)
        return HttpResponse()

    response = SessionMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    return response


def test_the_middleware_loads_saves_and_sets_the_cookie(ws_requests: list[str]) -> None:
    session = stored(a=1)
    ws_requests.clear()
    response = respond(session, lambda request: request.session.update({"b": request.session["a"] + 1}))
    assert response.cookies["sessionid"].value == session.session_key
    assert ws_requests == ["GetItem", "PutItem"]
    assert SessionStore(session.session_key)["b"] == 2


def test_an_untouched_session_costs_nothing(ws_requests: list[str]) -> None:
    session = stored(a=1)
    ws_requests.clear()
    assert "sessionid" not in respond(session, lambda request: None).cookies
    assert ws_requests == []


def test_a_logout_during_the_request_wins() -> None:
    session = stored(a=1)

    def write_after_logout(request: HttpRequest) -> None:
        request.session["a"] = 2
        SessionStore(session.session_key).delete()

    with pytest.raises(SessionInterrupted):
        respond(session, write_after_logout)
    assert keys() == set()
