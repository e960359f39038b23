"""A connection that is dead without a sign: the chat in a real browser, behind a network that swallows packets."""

import os
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.black_hole import BlackHole
from tests.browser.conftest import Window

Opener = Callable[..., Window]
PACE = float(os.environ.get("BLACK_HOLE_PACE", "2"))
"""Seconds between two messages of one who writes. The story as people told it has 20, which takes six minutes."""

MESSAGES = 16
WITHIN = 15.0
"""Seconds in which someone who speaks is to be on a line that works (R13)."""


@pytest.fixture
def room() -> str:
    """A room that no other test is in."""
    return f"room-{uuid4().hex[:8]}"


@pytest.fixture
def hole() -> Iterator[tuple[BlackHole, dict[str, str]]]:
    """The proxy, and how a browser is told of it. Chromium goes past a proxy to its own machine unless asked not to."""
    proxy = BlackHole()
    with proxy.running() as address:
        yield proxy, {"server": address, "bypass": "<-loopback>"}


def test_a_client_that_writes_to_a_dead_connection_reconnects_in_time_and_loses_nothing(
    hole: tuple[BlackHole, dict[str, str]], window: Opener, room: str
) -> None:
    proxy, address = hole
    red, blue = window(proxy=address).log_in("red").enter(room), window().log_in("blue").enter(room)
    texts = [f"Message {number}" for number in range(1, MESSAGES + 1)]
    for text in texts[:4]:
        red.say(text)
        red.page.wait_for_timeout(PACE * 1000)
    red.expect_messages(*texts[:4])
    assert proxy.swallow() >= 1
    began = time.monotonic()
    red.say(texts[4])
    expect(red.page.locator(".pending, .failed")).to_have_count(0)
    took = time.monotonic() - began
    for text in texts[5:]:
        red.say(text)
        red.page.wait_for_timeout(PACE * 1000)
    red.expect_messages(*texts)
    blue.expect_messages(*texts)
    assert proxy.swallowed > 0
    assert took < WITHIN


def test_offline_is_shown_in_two_seconds_and_the_network_coming_back_leads_to_a_new_line_at_once(
    window: Opener, room: str
) -> None:
    red = window().log_in("red").enter(room)
    red.context.set_offline(True)
    expect(red.page.locator("#state")).to_have_text("Offline", timeout=2000)
    red.say("Written without a network")
    with red.page.expect_websocket(timeout=5000):  # at once; the rest is for the machine
        red.context.set_offline(False)
    red.expect_state("Connected")
    red.expect_messages("Written without a network")
    red.complaints = [one for one in red.complaints if "ERR_INTERNET_DISCONNECTED" not in one]


def test_a_client_that_only_listens_finds_a_dead_connection_when_the_tab_becomes_visible(
    hole: tuple[BlackHole, dict[str, str]], window: Opener, room: str
) -> None:
    proxy, address = hole
    red, blue = window(proxy=address).log_in("red").enter(room), window().log_in("blue").enter(room)
    assert proxy.swallow() >= 1
    blue.say("Are you there?")
    blue.expect_messages("Are you there?")
    red.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(red.page.locator(".message .text")).to_have_text(["Are you there?"], timeout=WITHIN * 1000)
