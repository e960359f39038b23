"""S7: logout, deactivation and a new password close the connections. docs/contract.md 11, 25."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model, user_logged_out
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from tests.security.revocation_story import story
from ws_lambda import clock
from ws_lambda.exceptions import DeliveryError
from ws_lambda.gatekeeping import revocation
from ws_lambda.models import WebSocketSession
from ws_lambda.session_store import SessionStore
from ws_lambda.testing import connect_event, invoke, message_event, mint_token
from ws_lambda.users.user_row import UserRow

ROOT = Path(__file__).parents[2]


def is_open(connection_id):
    return WebSocketSession.get(connection_id, consistent_read=True).connected


def log_out(session_key, user):
    request = HttpRequest()
    request.session = SessionStore(session_key)
    request.session.save(must_create=True)
    user_logged_out.send(sender=type(user), request=request, user=user)


def test_25_logout_closes_that_logins_connections_only(user, dropped):
    invoke(connect_event("A=", token=mint_token(user, session_key="login-one")))
    invoke(connect_event("B=", token=mint_token(user, session_key="login-one")))
    invoke(connect_event("C=", token=mint_token(user, session_key="login-two")))
    log_out("login-one", user)
    assert sorted(dropped) == ["A=", "B="]
    assert [is_open(name) for name in ("A=", "B=", "C=")] == [False, False, True]


def test_a_token_of_a_login_that_ended_is_worthless(user, dropped):
    token = mint_token(user, session_key="login-one")
    log_out("login-one", user)
    assert invoke(connect_event(token=token))["statusCode"] == 401
    assert invoke(connect_event("B=", token=mint_token(user, session_key="login-two")))["statusCode"] == 200


def test_a_connection_that_the_index_did_not_show_yet_is_found_when_it_speaks(user, dropped, monkeypatch):
    invoke(connect_event("A=", token=mint_token(user, session_key="login-one")))
    monkeypatch.setattr(WebSocketSession.by_login, "query", lambda key: [])
    log_out("login-one", user)
    assert is_open("A=")
    later = clock.now() + 61
    monkeypatch.setattr(clock, "now", lambda: later)
    assert invoke(message_event({"action": "chat"}, "A="))["statusCode"] == 400
    assert (is_open("A="), dropped) == (False, ["A="])


def test_a_logout_goes_on_although_a_connection_cannot_be_closed(user, dropped, monkeypatch, caplog):
    """Or the login would stay in the session engine."""

    def fail(_recipients):
        raise DeliveryError("DynamoDB is down")

    invoke(connect_event("A=", token=mint_token(user, session_key="login-one")))
    with monkeypatch.context() as patch:
        patch.setattr(revocation, "close_and_disconnect", fail)
        log_out("login-one", user)
    assert is_open("A=")
    assert "Not all connections of a login that has ended could be closed" in caplog.text
    later = clock.now() + 61
    monkeypatch.setattr(clock, "now", lambda: later)
    assert invoke(message_event({"action": "chat"}, "A="))["statusCode"] == 400
    assert dropped == ["A="]


@pytest.mark.parametrize("fields", [None, ["password"], ["is_active", "email"]])
def test_a_saved_user_whose_logins_no_longer_hold(user, dropped, fields):
    invoke(connect_event("A=", token=mint_token(user)))
    user.is_active = False
    post_save.send(get_user_model(), instance=user, created=False, update_fields=fields)
    assert (is_open("A="), dropped) == (False, ["A="])


def test_a_new_password_spares_the_logins_that_have_it(user, dropped):
    invoke(connect_event("A=", token=mint_token(user)))
    user.set_password("new")
    invoke(connect_event("B=", token=mint_token(user)))
    post_save.send(get_user_model(), instance=user, created=False, update_fields=None)
    assert dropped == ["A="]


def test_a_connection_whose_record_is_gone_saves_no_other(user, dropped, ws_requests, monkeypatch):
    invoke(connect_event("A=", token=mint_token(user)))
    invoke(connect_event("B=", token=mint_token(user)))
    rows = list(WebSocketSession.by_user.query(str(user.pk)))
    WebSocketSession("A=").delete()
    monkeypatch.setattr(WebSocketSession.by_user, "query", lambda _key: rows)  # an index is behind its table
    ws_requests.clear()
    user.is_active = False
    post_save.send(get_user_model(), instance=user, created=False, update_fields=None)
    assert dropped == ["B="]
    assert ws_requests.count("BatchGetItem") == 1, "both sessions"
    assert ws_requests.count("GetItem") == 1, "the ids of the user, of which the index may not know all"


def test_requests_that_end_no_login_cost_nothing(user, dropped, ws_requests):
    invoke(connect_event("A=", token=mint_token(user)))
    ws_requests.clear()
    post_save.send(get_user_model(), instance=user, created=False, update_fields=["last_login"])
    post_save.send(get_user_model(), instance=user, created=True, update_fields=None)
    assert ws_requests == []
    assert is_open("A=")


def test_a_deleted_user(user, dropped):
    invoke(connect_event("A=", token=mint_token(user)))
    post_delete.send(get_user_model(), instance=user)
    assert (is_open("A="), dropped) == (False, ["A="])


def test_disconnecting_a_session_closes_its_socket(user, dropped):
    invoke(connect_event("A=", token=mint_token(user)))
    assert WebSocketSession.get("A=").disconnect().sent == 1
    assert (is_open("A="), dropped) == (False, ["A="])


def test_users_in_dynamodb(ws_gateway):
    story(ws_gateway, lambda user: UserRow(user.pk).update([UserRow.is_active.set(False)]))


SQL_SETTINGS = """
from tests.settings import *

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "ws_lambda", "shop"]
AUTH_USER_MODEL = "auth.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
ROOT_URLCONF = "site_urls"
"""

SQL_URLS = """
from django.urls import include, path
from ws_lambda.views import WebSocketView

class ChatView(WebSocketView):
    def chat(self, request, *args, **kwargs):
        return {}

urlpatterns = [path("ws/<slug:route>", ChatView.as_view()), path("", include("ws_lambda.urls"))]
"""

SHOP = """
from django.contrib.auth.models import User

class Customer(User):
    class Meta:
        proxy = True
"""

SQL_PROGRAM = """
import warnings

warnings.simplefilter("error")
import django

django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from shop.models import Customer
from tests.security.revocation_story import Person, story
from ws_lambda.testing import InProcessGateway, tables

call_command("migrate", verbosity=0)
with tables(), InProcessGateway() as gateway:
    story(gateway, lambda user: User.objects.filter(pk=user.pk).update(is_active=False))

    person = Person("by_proxy")
    customer = Customer.objects.get(pk=person.user.pk)
    customer.is_active = False
    customer.save()
    assert not person.socket.connected, "saved as a proxy"

    person = Person("deleted_together")
    User.objects.filter(username="deleted_together").delete()
    assert not person.socket.connected, "deleted by a queryset"

    person = Person("in_a_transaction")
    with transaction.atomic():
        person.user.is_active = False
        person.user.save()
        assert person.socket.connected, "until the end a reconnect would find the user active"
    assert not person.socket.connected

    person = Person("taken_back")
    try:
        with transaction.atomic():
            person.user.set_password("other")
            person.user.save()
            raise LookupError
    except LookupError:
        pass
    assert person.socket.connected

    from ws_lambda import housekeeping
    from ws_lambda.models import WebSocketSession

    strange, gone = Person("strange"), Person("gone")
    for number, user_id in enumerate(("not-a-number", "9" * 40, "1\\0")):
        odd = Person(f"odd{number}")
        odd.socket.session.update([WebSocketSession.user_id.set(user_id)])
    strange.socket.session.update([WebSocketSession.user_id.set("b2c7f3a0-uuid")])
    User.objects.filter(pk=gone.user.pk).update(is_active=False)
    gateway.advance(61)
    strange.socket.send_json({"action": "chat"})
    assert not strange.socket.connected, "nobody has that id"
    pruned = housekeeping.run()
    assert (pruned.evicted, pruned.unchecked) == (4, 0), pruned
    assert not gone.socket.connected
    assert person.socket.connected
print("done")
"""


def test_users_in_sql(tmp_path):
    for name, text in (("site_settings", SQL_SETTINGS), ("site_urls", SQL_URLS), ("program", SQL_PROGRAM)):
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    for package in ("shop", "shop/migrations"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "shop" / "models.py").write_text(SHOP)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_"))}
    env |= {"DJANGO_SETTINGS_MODULE": "site_settings", "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.endswith("done\n"), done.stdout + done.stderr
