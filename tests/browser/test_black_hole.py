"""A line that is dead and does not say so: the chat in a real browser, through a network that swallows connections."""

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


def test_who_writes_into_a_dead_line_is_on_another_in_time_and_loses_nothing(
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
