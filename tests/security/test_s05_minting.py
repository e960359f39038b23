"""S5: only a logged-in page of our own mints tokens. docs/contract.md 21."""

import json

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client

from tests import backends
from ws_lambda import clock
from ws_lambda.gatekeeping.logins import known_login
from ws_lambda.models import WebSocketSession, WebSocketToken
from ws_lambda.session_store import SessionStore
from ws_lambda.tables.tokens import digest
from ws_lambda.testing import connect_event, invoke

pytestmark = pytest.mark.usefixtures("ws_tables", "still")
URL = "/api/ws-token/"


def log_in(user) -> SessionBase:
    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), backends.PATH
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return store


def client_of(user, **options) -> Client:
    client = Client(**options)
    client.cookies["sessionid"] = log_in(user).session_key
    return client


def test_a_token_its_lifetime_and_where_to_go(user, settings):
    settings.WS_LAMBDA = {"WEBSOCKET_URL": "wss://ws.example.com", "TOKEN_SECONDS": 45}
    client = client_of(user)
    response = client.post(URL)
    assert response.status_code == 200
    answer = response.json()
    assert (answer["expires_in"], answer["url"], len(answer["token"])) == (45, "wss://ws.example.com", 64)
    assert response["Cache-Control"] == "no-store"
    stored = WebSocketToken.get(digest(answer["token"]))
    assert (stored.user_id, stored.auth_backend) == ("7", backends.PATH)
    assert stored.login_id == digest(client.cookies["sessionid"].value)
    assert invoke(connect_event(token=answer["token"]))["statusCode"] == 200, "with no cookie on the WebSocket's domain"


def test_a_token_for_one_channel_opens_no_other(user):
    client = client_of(user)
    token = client.post(URL, {"channel": "general"}).json()["token"]
    for other in ({"channel": "support"}, None):
        assert invoke(connect_event(token=token, query=other))["statusCode"] == 403
    assert invoke(connect_event(token=token, channel="general"))["statusCode"] == 200, "it was left unspent"


def test_no_token_for_an_invalid_channel_name(user):
    response = client_of(user).post(URL, {"channel": "general\n"})
    assert (response.status_code, response.json()) == (400, {"message": "Invalid channel"})
    assert WebSocketToken.count() == 0


def test_without_a_csrf_token_nothing_is_minted(user):
    response = client_of(user, enforce_csrf_checks=True).post(URL)
    assert response.status_code == 403
    assert WebSocketToken.count() == 0


def test_with_one_it_is(user):
    client = client_of(user, enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    assert client.post(URL, headers={"X-CSRFToken": "a" * 32}).status_code == 200


def test_anonymous_and_other_methods(user):
    assert Client().post(URL).status_code == 403
    assert client_of(user).get(URL).status_code == 405


def test_more_than_the_limit(user, settings, monkeypatch):
    settings.WS_LAMBDA = {"TOKENS_PER_MINUTE": 2}
    client = client_of(user)
    codes = [client.post(URL).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    assert "wait a minute" in json.loads(client.post(URL).content)["message"]
    later = clock.now() + 60
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.post(URL).status_code == 200


def test_the_url_of_the_deployment_or_of_the_only_gateway(user, monkeypatch):
    from ws_lambda.models import ApiGateway, gateways

    client = client_of(user)
    assert client.post(URL).json()["url"] == ""
    ApiGateway("chat", api_id="abc123", api_endpoint="wss://abc123.example", stage_name="prod").save()
    gateways.forget()
    assert client.post(URL).json()["url"] == "wss://abc123.example/prod"
    monkeypatch.setenv("WS_LAMBDA_WEBSOCKET_URL", "wss://deployed.example/dev")
    assert client.post(URL).json()["url"] == "wss://deployed.example/dev"


def recognised_by_header(get_response):
    """A project's own middleware: an API client that has no Django login."""

    def middleware(request):
        if request.headers.get("X-Api-Key") == "of-user-7":
            request.user = backends.people["7"]
        return get_response(request)

    return middleware


def test_a_user_without_a_django_login_gets_a_session_key(user, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.recognised_by_header"]
    client = Client(headers={"X-Api-Key": "of-user-7"})
    token = client.post(URL).json()["token"]
    key = client.cookies["sessionid"].value
    stored = WebSocketToken.get(digest(token))
    assert (stored.session_hash, stored.login_id) == (digest(key), known_login(SessionStore(key)))
    assert invoke(connect_event(token=token, headers={"Cookie": f"sessionid={key}"}))["statusCode"] == 200
    stale = client.post(URL).json()["token"]
    user.set_password("other")
    assert invoke(connect_event("C2=", token=stale))["statusCode"] == 401, "bound to the password of the moment as well"


def test_a_token_belongs_to_the_requests_user_whoever_the_session_belongs_to(user, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.recognised_by_header"]
    other = backends.add("8")
    client = client_of(other, headers={"X-Api-Key": "of-user-7"})
    assert invoke(connect_event(token=client.post(URL).json()["token"]))["statusCode"] == 200
    assert WebSocketSession.get("C1=").user_id == "7"
