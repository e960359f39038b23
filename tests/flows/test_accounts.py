"""Logins from the page to the tables, through Django's own views and middleware."""

import re
from typing import Any

import pytest
from django.contrib.auth import views
from django.contrib.auth.decorators import login_required
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import AsyncClient, Client
from django.urls import path

from ws_lambda.session_store import DjangoSession
from ws_lambda.users.models import User


@login_required
def whoami(request: HttpRequest) -> HttpResponse:
    return render(request, "whoami.html")


async def awhoami(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(f"{user} {await user.ahas_perm('chat.speak')}")


urlpatterns = [
    path("login/", views.LoginView.as_view(next_page="whoami"), name="login"),
    path("logout/", views.LogoutView.as_view(next_page="login"), name="logout"),
    path("change/", views.PasswordChangeView.as_view(success_url="/whoami/"), name="change"),
    path("reset/", views.PasswordResetView.as_view(success_url="/login/"), name="reset"),
    path(
        "reset/<uidb64>/<token>/",
        views.PasswordResetConfirmView.as_view(success_url="/login/"),
        name="password_reset_confirm",
    ),
    path("whoami/", whoami, name="whoami"),
    path("awhoami/", awhoami),
]

pytestmark = pytest.mark.usefixtures("nobody_listens")

FORM = "{{ form.errors }}{% csrf_token %}"
PAGES = {
    "registration/login.html": FORM,
    "registration/password_change_form.html": FORM,
    "registration/password_reset_form.html": FORM,
    "registration/password_reset_confirm.html": "{{ validlink }}" + FORM,
    "registration/password_reset_subject.txt": "Reset",
    "registration/password_reset_email.html": "{% url 'password_reset_confirm' uidb64=uid token=token %}",
    "whoami.html": "{{ user }} {{ perms.chat.speak }} {{ perms.news.read }}",
}
SPEAKS = {"permission_names": {"chat.speak"}}


@pytest.fixture(autouse=True)
def site(settings: Any, ws_tables: list[str]) -> None:
    settings.ROOT_URLCONF = __name__
    settings.LOGIN_URL = "login"
    engine = settings.TEMPLATES[0]
    loaders = [("django.template.loaders.locmem.Loader", PAGES)]
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": {**engine["OPTIONS"], "loaders": loaders}}]


@pytest.fixture
def red() -> User:
    return User.objects.create_user("red", "red@example.com", "first-secret", **SPEAKS)


def logged_in(name: str = "red", password: str = "first-secret") -> Client:
    client = Client()
    response = client.post("/login/", {"username": name, "password": password})
    assert (response.status_code, response["Location"]) == (302, "/whoami/")
    return client


def test_login_shows_the_user_with_permissions_and_logout_ends_it(red: User) -> None:
    client = Client()
    assert client.get("/whoami/").status_code == 302
    client = logged_in("Red")
    assert client.get("/whoami/").content == b"red True False"
    client.post("/logout/")
    assert client.get("/whoami/").status_code == 302
    assert list(DjangoSession.scan()) == []


def test_login_counts_the_moment(red: User) -> None:
    logged_in()
    red.refresh_from_db()
    assert red.last_login is not None
    assert red.last_login >= red.date_joined


@pytest.mark.parametrize(("name", "password"), [("red", "wrong"), ("nobody", "first-secret"), ("é" * 150, "x")])
def test_a_wrong_login_says_so_and_opens_nothing(red: User, name: str, password: str) -> None:
    response = Client().post("/login/", {"username": name, "password": password})
    assert b"correct username and password" in response.content
    assert list(DjangoSession.scan()) == []


def test_a_login_without_the_csrf_token_is_refused(red: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/login/", {"username": "red", "password": "first-secret"}).status_code == 403


def test_what_a_login_and_a_request_cost(red: User, ws_requests: list[str]) -> None:
    ws_requests.clear()
    client = logged_in()
    assert ws_requests == ["GetItem", "PutItem", "UpdateItem", "PutItem"]  # user, new key, last login, session
    ws_requests.clear()
    client.get("/whoami/")
    assert ws_requests == ["GetItem", "GetItem"]  # session, user
    ws_requests.clear()
    client.post("/logout/")
    assert ws_requests == ["GetItem", "GetItem", "DeleteItem"]


def test_a_deactivated_or_deleted_user_is_out_at_the_next_request(red: User) -> None:
    client = logged_in()
    red.is_active = False
    red.save(update_fields=["is_active"])
    assert client.get("/whoami/").status_code == 302
    red.is_active = True
    red.save(update_fields=["is_active"])
    assert client.get("/whoami/").status_code == 200
    red.delete()
    assert client.get("/whoami/").status_code == 302


def test_a_password_change_keeps_this_login_and_ends_the_others(red: User) -> None:
    here, elsewhere = logged_in(), logged_in()
    form = {"old_password": "first-secret", "new_password1": "second-secret", "new_password2": "second-secret"}
    assert here.post("/change/", form)["Location"] == "/whoami/"
    assert here.get("/whoami/").status_code == 200
    assert elsewhere.get("/whoami/").status_code == 302
    logged_in(password="second-secret")


def test_a_password_is_reset_by_mail(red: User, ws_requests: list[str]) -> None:
    User.objects.create_user("gone", "RED@example.com", "x", is_active=False)
    ws_requests.clear()
    client = Client()
    assert client.post("/reset/", {"email": "Red@Example.COM"})["Location"] == "/login/"
    assert ws_requests == ["Query", "BatchGetItem"]
    assert [message.to for message in mail.outbox] == [["red@example.com"]]
    link = re.search(r"/reset/\S+", mail.outbox[0].body)
    assert link is not None
    form_page = client.get(link[0])
    new = {"new_password1": "second-secret", "new_password2": "second-secret"}
    assert client.post(form_page["Location"], new)["Location"] == "/login/"
    logged_in(password="second-secret")
    assert Client().get(link[0]).content.startswith(b"False")


def test_a_reset_for_an_unknown_address_sends_nothing(red: User) -> None:
    assert Client().post("/reset/", {"email": "nobody@example.com"})["Location"] == "/login/"
    assert mail.outbox == []


def test_a_forged_session_cookie_is_nobody(red: User) -> None:
    client = Client()
    for cookie in ("x" * 32, "y" * 3000):
        client.cookies["sessionid"] = cookie
        assert client.get("/whoami/").status_code == 302


def test_another_login_in_the_same_browser_starts_a_fresh_session(red: User) -> None:
    User.objects.create_user("blue", password="blue-secret")
    client = logged_in()
    first = client.cookies["sessionid"].value
    client.post("/login/", {"username": "blue", "password": "blue-secret"})
    assert client.get("/whoami/").content.startswith(b"blue")
    assert [item.session_key for item in DjangoSession.scan()] == [client.cookies["sessionid"].value]
    assert client.cookies["sessionid"].value != first


def test_an_async_view_knows_the_user(red: User) -> None:
    import asyncio

    async def story() -> bytes:
        client = AsyncClient()
        await client.alogin(username="red", password="first-secret")
        known = (await client.get("/awhoami/")).content
        await client.alogout()
        return known + b"; " + (await client.get("/awhoami/")).content

    assert asyncio.run(story()) == b"red True; AnonymousUser False"
