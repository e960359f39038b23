"""The local gateway's live page, in a real browser over a real gateway."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, Window
from tests.local_site import LocalSite

Opener = Callable[..., Window]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
TABLET = {"viewport": {"width": 820, "height": 1180}}


@pytest.fixture
def room() -> str:
    """A room that no other test is in."""
    return f"room-{uuid4().hex[:8]}"


@pytest.fixture
def live_url(site: LocalSite) -> str:
    """Where the live page is."""
    return f"http://{site.gateway.partition('/')[0]}/"


@pytest.fixture
def live(window: Opener, live_url: str) -> Callable[..., Page]:
    """Opens the live page."""

    def opened(**options: Any) -> Page:
        page = window(**options).page
        page.goto(live_url)
        expect(page.locator("#live")).to_have_text("live")
        return page

    return opened


def try_it(page: Page, room: str, account: str = "red") -> None:
    """Connects from the box."""
    page.get_by_label("As").select_option(account)
    page.get_by_label("Channel").fill(room)
    page.get_by_role("button", name="Connect", exact=True).click()


def in_room(page: Page, room: str) -> Any:
    """The row of the one connection in a room."""
    return page.locator("#connections tr", has=page.get_by_text(room, exact=True))


def test_a_message_from_the_box_is_answered_and_shown(live: Opener, room: str) -> None:
    page = live()
    try_it(page, room)
    expect(page.locator("#talk li").first).to_have_text("connected as red")
    expect(in_room(page, room)).to_contain_text("red")
    page.get_by_label("Message", exact=True).fill('{"action": "ping"}')
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#talk li[data-way='←']").last).to_have_text('{"type": "pong"}')
    expect(in_room(page, room).locator("td").nth(3)).to_have_text("1 / 1")
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator("#talk li").last).to_contain_text("closed,")
    expect(in_room(page, room)).to_have_count(0)


def test_the_box_connects_as_another_than_is_logged_in_to_the_site(window: Opener, live_url: str, room: str) -> None:
    page = window().log_in("blue").page
    expect(page.get_by_role("heading", name="Rooms")).to_be_visible()
    page.goto(live_url)
    expect(page.locator("#live")).to_have_text("live")
    try_it(page, room, "red")
    expect(page.locator("#talk li").first).to_have_text("connected as red")


def test_events_show_their_json_and_no_token(live: Opener, room: str) -> None:
    page = live()
    try_it(page, room)
    expect(in_room(page, room)).to_have_count(1)
    page.locator("#events summary", has_text="$connect").first.click()
    event = json.loads(page.locator("#events details[open] pre").first.text_content() or "")
    assert event["requestContext"]["eventType"] == "CONNECT"
    assert event["queryStringParameters"] == {"channel": room, "ws_token": "(hidden)"}


def test_what_is_posted_to_a_client_is_shown(live: Opener, room: str) -> None:
    page = live()
    try_it(page, room)
    page.get_by_role("button", name="Send").click()
    page.locator("#events summary", has_text="POST").first.click()
    sent = json.loads(page.locator("#events details[open] pre").first.text_content() or "")
    assert (sent["type"], sent["message"], sent["sender"]) == ("message", "Hello", "red")


def test_a_connection_can_be_closed_and_cut(live: Opener, room: str) -> None:
    page = live()
    for button, said in (("close", "closed, 1000 Connection Closed Normally"), ("cut", "closed, 1006")):
        try_it(page, room)
        in_room(page, room).get_by_role("button", name=button).click()
        expect(page.locator("#talk li").last).to_contain_text(said)
        expect(in_room(page, room)).to_have_count(0)


def test_a_refusal_is_shown_with_its_status(window: Opener, live_url: str, room: str) -> None:
    stranger = window()
    page = stranger.page
    page.goto(live_url)
    try_it(page, room, account="")
    expect(page.locator("#talk li").last).to_have_text("refused: the events say why")
    expect(page.locator("#events summary").first.locator(".status.bad")).to_have_text("401")
    assert all(room in complaint for complaint in stranger.complaints)  # Chromium's own word on a failed connect
    stranger.complaints.clear()


@pytest.mark.parametrize("name", ["desktop", "dark", "tablet", "phone"])
def test_it_fits_its_window(live: Opener, room: str, name: str) -> None:
    options = {"desktop": {}, "dark": {"color_scheme": "dark"}, "tablet": TABLET, "phone": PHONE}[name]
    page = live(**options)
    try_it(page, room)
    expect(in_room(page, room)).to_have_count(1)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#talk li[data-way='←']").last).to_contain_text("ack")
    page.locator("#events summary").first.click()
    page.screenshot(path=SCREENSHOTS / f"live-page-{name}.png", full_page=True)
    for button in ("close", "cut"):
        expect(in_room(page, room).get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
