"""The demo chat in a real browser, over a real WebSocket."""

import base64
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import boto3
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import SCREENSHOTS, Window
from tests.local_site import LocalSite

Opener = Callable[..., Window]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def room() -> str:
    """A room that no other test is in."""
    return f"room-{uuid4().hex[:8]}"


@pytest.fixture
def gateway(site: LocalSite) -> Any:
    """An unmodified boto3 client of the local gateway."""
    return boto3.client("apigatewaymanagementapi", endpoint_url=site.management_url, **site.keys)


def test_two_windows_log_in_and_hear_each_other(window: Opener) -> None:
    red, blue = window().log_in("red"), window(color_scheme="dark").log_in("blue")
    for one in (red, blue):
        one.page.get_by_role("link", name="support").click()
        one.expect_state("Connected")
    red.say("Hello, is anyone there?")
    blue.expect_messages("Hello, is anyone there?")
    blue.say("Yes. <b>Loud</b> & clear")
    red.expect_messages("Hello, is anyone there?", "Yes. <b>Loud</b> & clear")
    for one in (red, blue):
        expect(one.page.locator("#people-list .name")).to_have_count(2)
    expect(blue.page.locator(".message:not(.mine) .sender")).to_have_text("red")
    red.photograph("two-windows-red")
    blue.photograph("two-windows-blue")


def test_history_is_there_on_entering(window: Opener, room: str) -> None:
    red = window().log_in("red").enter(room)
    texts = [f"Message {number}" for number in range(1, 7)]
    for text in texts:
        red.say(text)
    red.expect_messages(*texts)
    window().log_in("blue").enter(room).expect_messages(*texts)


def test_others_see_that_a_user_leaves(window: Opener, room: str) -> None:
    red, blue = window().log_in("red").enter(room), window().log_in("blue").enter(room)
    expect(red.page.locator("#people-list .name")).to_have_text(["red", "blue"])
    blue.page.goto("/")
    expect(red.page.locator("#people-list .name")).to_have_text(["red"])


def test_a_cut_connection_comes_back_by_itself(window: Opener, room: str, gateway: Any) -> None:
    red = window().log_in("red").enter(room)
    connection_id = red.connection_id()
    with red.page.expect_websocket():
        gateway.delete_connection(ConnectionId=connection_id)
    red.expect_state("Connected")
    red.say("Still here")
    red.expect_messages("Still here")


def test_messages_sent_meanwhile_are_neither_lost_nor_doubled(window: Opener, room: str, gateway: Any) -> None:
    red, blue = window().log_in("red").enter(room), window().log_in("blue").enter(room)
    blue.say("Before")
    red.expect_messages("Before")
    connection_id = red.connection_id()
    red.context.set_offline(True)
    gateway.delete_connection(ConnectionId=connection_id)
    red.expect_state("Offline")
    for number in range(1, 4):
        blue.say(f"While you were away {number}")
    red.say("Written in the dark")
    expect(red.page.locator(".pending")).to_have_count(1)
    heard = ["Before", *(f"While you were away {number}" for number in range(1, 4))]
    blue.expect_messages(*heard)
    red.context.set_offline(False)
    everything = [*heard, "Written in the dark"]
    red.expect_messages(*everything)
    blue.expect_messages(*everything)
    red.complaints = [one for one in red.complaints if "ERR_INTERNET_DISCONNECTED" not in one]


def test_the_end_of_a_login_is_said_plainly(window: Opener, room: str, gateway: Any) -> None:
    red = window().log_in("red").enter(room)
    connection_id = red.connection_id()
    red.context.clear_cookies()
    gateway.delete_connection(ConnectionId=connection_id)
    red.expect_state("Logged out")
    expect(red.page.locator("#text")).to_be_disabled()
    red.page.get_by_role("link", name="Log in again").click()
    expect(red.page).to_have_url(f"{red.site.url}/login/?next=/rooms/{room}/")
    assert all("403" in complaint for complaint in red.complaints)
    red.complaints.clear()


def test_a_wrong_password_and_a_wrong_room_name(window: Opener) -> None:
    red = window().log_in("red", "wrong")
    expect(red.page.get_by_role("alert")).to_contain_text("correct username and password")
    red.log_in("red")
    red.page.get_by_label("Another room").fill("no such; room")
    red.page.get_by_role("button", name="Open").click()
    expect(red.page.get_by_role("alert")).to_have_text("Letters, digits, - and _ only, please.")
    red.page.get_by_label("Another room").fill("Team-42")
    red.page.get_by_role("button", name="Open").click()
    expect(red.page.get_by_role("heading", level=1)).to_have_text("#team-42")
    red.complaints = [one for one in red.complaints if "400" not in one]


def test_a_long_message_can_be_read_back_from_history(window: Opener, room: str) -> None:
    text = "ünïcödé " * 249
    window().log_in("red").enter(room).say(text)
    window().log_in("blue").enter(room).expect_messages(text.strip())


def test_a_message_that_is_too_long_is_not_cut(window: Opener, room: str) -> None:
    red = window().log_in("red").enter(room)
    red.say("z" * 2003)
    expect(red.page.locator("#left")).to_have_text("3 too many")
    field = red.page.get_by_label("Message to")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.press("Backspace")
    field.press("Backspace")
    field.press("Backspace")
    field.press("Enter")
    red.expect_messages("z" * 2000)


def test_a_message_that_fails_says_why_and_can_be_sent_again(window: Opener, room: str) -> None:
    red = window().log_in("red").enter(room)
    red.page.evaluate(
        """() => {
             const socket = window.sockets.at(-1);
             const frame = { message: "Too many messages", status: 429, connectionId: "x", requestId: "y" };
             socket.send = () => {
               delete socket.send;
               setTimeout(() => socket.onmessage({ data: JSON.stringify(frame) }));
             };
           }"""
    )
    red.say("Once more")
    expect(red.page.locator(".failed .note")).to_contain_text("Not sent: Too many messages")
    red.page.get_by_role("button", name="Try again").click()
    red.expect_messages("Once more")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(window: Opener, room: str, scheme: str) -> None:
    red = window(color_scheme=scheme, **PHONE)
    red.page.goto("/login/")
    red.photograph(f"phone-{scheme}-login")
    red.log_in("red")
    expect(red.page.get_by_role("heading", name="Rooms")).to_be_visible()
    red.photograph(f"phone-{scheme}-rooms")
    red.enter(room)
    for text in ("Short", "w" * 400, "Lines\nand\nlines"):
        red.say(text)
    red.expect_messages("Short", "w" * 400, "Lines\nand\nlines")
    wider = red.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0
    red.page.get_by_role("button", name="here now").click()
    expect(red.page.get_by_role("complementary", name="Who is here")).to_be_visible()
    red.photograph(f"phone-{scheme}-room")


def test_long_names_and_texts_from_the_right_stay_in_their_places(window: Opener, room: str) -> None:
    red = window(**PHONE).log_in("red").enter(f"{room}-{'long-name-' * 2}")
    expect(red.page.locator("#people-list .name")).to_have_text(["red"])  # nothing comes any more to take its place
    red.page.evaluate(
        r"""async () => {
             const { MessageList } = await import("/static/chat/messages.js");
             const { showPeople } = await import("/static/chat/people.js");
             const [sender, letter] = ["name@example.".repeat(10), "\u{20BB7}"];
             const sent_at = new Date().toISOString();
             const list = new MessageList("red");
             list.add({ id: "1", message: "Hello", sender, sent_at });
             list.add({ id: "2", message: "\u05e9\u05dc\u05d5\u05dd!", sender: letter, sent_at });
             showPeople([sender, letter, "red"], "red");
           }"""
    )
    for one in ("html", ".talk", "#scroll", ".message .by >> nth=0"):
        assert red.page.locator(one).evaluate("(it) => it.scrollWidth - it.clientWidth") <= 0
    expect(red.page.locator(".text").last).to_have_css("direction", "rtl")
    expect(red.page.locator(".message .avatar").last).to_have_text("\U00020bb7")
    avatar = red.page.locator("#people-list .avatar").nth(1)
    red.page.get_by_role("button", name="here now").click()
    assert avatar.evaluate("(it) => it.offsetWidth") == 28
    red.page.goto("/")
    red.page.locator(".account-name").evaluate("(it) => { it.textContent = 'name@example.'.repeat(10); }")
    assert red.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_nobody_gets_in_without_a_login(window: Opener, room: str) -> None:
    nobody = window()
    nobody.page.goto(f"/rooms/{room}/")
    expect(nobody.page).to_have_url(f"{nobody.site.url}/login/?next=/rooms/{room}/")


def test_the_picture_in_the_readme(window: Opener, chromium: Browser) -> None:
    """Two windows side by side, at `.screenshots/chat.png`; docs/chat.png is a copy that was looked at."""
    size: dict[str, Any] = {"viewport": {"width": 620, "height": 560}, "device_scale_factor": 1.5, "locale": "en-GB"}
    red = window(**size).log_in("red").enter("general")
    blue = window(color_scheme="dark", **size).log_in("blue").enter("general")
    said = [
        (red, "Is the new stage up?"),
        (blue, "Since last night. Did you not notice?"),
        (blue, "And no server to look after."),
        (red, "So what is running right now?"),
        (blue, "Nothing. Until you press Enter."),
    ]
    for number, (who, text) in enumerate(said, 1):
        who.say(text)
        for one in (red, blue):
            one.expect_messages(*(text for _who, text in said[:number]))
    for one in (red, blue):
        expect(one.page.locator("#people-count")).to_have_text("2")
    red.page.get_by_label("Message to").blur()
    blue.page.get_by_label("Message to").fill("See for yourself")
    pictures = [
        base64.b64encode(one.photograph(name).read_bytes()).decode()
        for one, name in ((red, "chat-red"), (blue, "chat-blue"))
    ]
    page = chromium.new_page(viewport={"width": 1288, "height": 592}, device_scale_factor=1.5)
    style = "border-radius:12px;box-shadow:0 0 0 1px #8884"
    shown = "".join(
        f"<img width=620 height=560 style='{style}' src='data:image/png;base64,{picture}'>" for picture in pictures
    )
    page.set_content(f"<body style='margin:0;padding:16px;display:flex;gap:16px'>{shown}")
    page.screenshot(path=SCREENSHOTS / "chat.png", omit_background=True)
    page.close()
    assert (SCREENSHOTS / "chat.png").stat().st_size < 200_000
