"""The demo's pages."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from ws_lambda.models import ChannelPermission, channel_permissions
from ws_lambda.testing import WebSocketTestClient


def test_every_page_wants_a_login() -> None:
    for path in ("/", "/rooms/general/"):
        assert Client().get(path).headers["Location"] == f"/login/?next={path}"


def test_the_login_page_names_the_demo_accounts(settings: LazySettings) -> None:
    settings.DEBUG = True
    assert "red-demo" in Client().get("/login/").text


def test_the_login_page_names_nobody_when_deployed(settings: LazySettings) -> None:
    settings.DEBUG = False
    page = Client().get("/login/").text
    assert "-demo" not in page
    assert "Demo accounts" not in page


@pytest.mark.usefixtures("people")
def test_logging_in_leads_to_the_rooms() -> None:
    client = Client()
    answer = client.post("/login/", {"username": "red", "password": "red-demo"})
    assert answer.headers["Location"] == "/"
    assert "Another room" in client.get("/").text


def test_the_rooms_say_how_many_are_in_them(browser: Client, enter: Callable[..., WebSocketTestClient]) -> None:
    for name in ("red", "red", "blue"):
        enter(name)
    page = browser.get("/").text
    assert page.count("2 here now") == 1
    assert page.count("Nobody here yet") == 2


def test_room_names_that_will_not_do(browser: Client) -> None:
    for name in ("", "two words", "semi;colon", "x" * 41, "über"):
        answer = browser.post("/", {"name": name})
        assert (name, answer.status_code) == (name, 400)
        assert 'role="alert"' in answer.text


def test_a_room_of_ones_own(browser: Client) -> None:
    assert browser.post("/", {"name": "Team-42"}).headers["Location"] == "/rooms/team-42/"


def test_a_room_tells_its_script_what_it_needs(browser: Client) -> None:
    page = browser.get("/rooms/team-42/").text
    data = re.search(r'<script id="room-settings" type="application/json">(.*?)</script>', page)
    assert data
    told: dict[str, Any] = json.loads(data.group(1))
    assert told == {
        "room": "team-42",
        "me": "red",
        "tokenUrl": "/api/ws-token/",
        "loginUrl": "/login/?next=/rooms/team-42/",
        "maxLength": 2000,
    }


def test_the_sites_files_are_served_without_a_web_server(settings: LazySettings) -> None:
    settings.DEBUG = False
    page = Client().get("/login/").text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) >= 2
    for path in [*files, "/static/ws_lambda/client.js"]:
        answer = Client().get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=3600")
        answer.close()
    for path in ("../settings.py", "%2e%2e/settings.py", "chat/../../../settings.py", "chat"):
        assert Client().get(f"/static/{path}").status_code in (400, 404)


@pytest.mark.parametrize(("debug", "sockets"), [(True, "ws: wss:"), (False, "wss:")])
def test_pages_run_only_the_sites_own_code(settings: LazySettings, debug: bool, sockets: str) -> None:
    settings.DEBUG = debug
    answer = Client().get("/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert f"connect-src 'self' {sockets};" in policy
    assert not re.search(
        r"<script(?![^>]* src=)(?![^>]*application/json)|<style| style=| on\w+=|https?://", answer.text
    )


@pytest.mark.parametrize("debug", [True, False])
def test_a_page_that_is_not_there(browser: Client, settings: LazySettings, debug: bool) -> None:
    settings.DEBUG = debug
    answer = browser.get("/nowhere/")
    assert answer.status_code == 404
    assert ("There is no such page" in answer.text) is not debug
    inline = "<style" in answer.text
    assert (inline, "Content-Security-Policy" in answer.headers) == (debug, not debug)


def test_a_room_that_one_may_not_enter_says_so(browser: Client) -> None:
    ChannelPermission("secret", access="superuser_only").save()
    channel_permissions.forget_cache()
    answer = browser.get("/rooms/secret/")
    assert (answer.status_code, "may not enter" in answer.text) == (403, True)
    assert browser.get("/rooms/general/").status_code == 200
