"""A real Chromium, and people in it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.local_site import ROOT, LocalSite, required

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SCREENSHOTS = ROOT / ".screenshots"
PATIENCE = 60_000
"""Milliseconds until what a page should show counts as not shown. Playwright's own five seconds are for a machine that
does nothing else."""

DESKTOP = {"width": 1280, "height": 800}

# Remembers the sockets of a page, so that a test can speak on them as the page's script does.
REMEMBER_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A running browser. Not for the whole session: while it runs, this thread's event loop is taken."""
    if CHROMIUM is None:
        required("Chromium (chromium, chromium-browser or google-chrome)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Window:
    """One person's own browser window: own cookies, own login."""

    def __init__(self, browser: Browser, site: LocalSite, **options: Any) -> None:
        self.site = site
        self.context = browser.new_context(base_url=site.url, **{"viewport": DESKTOP} | options)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(REMEMBER_SOCKETS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._console)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def log_in(self, name: str, password: str | None = None) -> "Window":
        self.page.goto("/login/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password or f"{name}-demo")
        self.page.get_by_role("button", name="Log in").click()
        return self

    def enter(self, room: str) -> "Window":
        self.page.goto(f"/rooms/{room}/")
        self.expect_state("Connected")
        return self

    def say(self, text: str) -> None:
        field = self.page.get_by_label("Message to")
        field.fill(text)
        field.press("Enter")

    def expect_state(self, text: str) -> None:
        expect(self.page.locator("#state")).to_have_text(text)

    def expect_messages(self, *texts: str) -> None:
        """Exactly these, in this order, all confirmed."""
        expect(self.page.locator(".message .text")).to_have_text(list(texts))
        expect(self.page.locator(".pending, .failed")).to_have_count(0)

    def connection_id(self) -> str:
        """API Gateway's id of the page's connection, out of the answer to a message that no handler takes."""
        found: str = self.page.evaluate(
            """() => new Promise((resolve) => {
                 const socket = window.sockets.at(-1);
                 socket.addEventListener("message", ({ data }) => {
                   const id = JSON.parse(data).connectionId;
                   if (id) resolve(id);
                 });
                 socket.send('{"action": "nobody-listens"}');
               })"""
        )
        return found

    def photograph(self, name: str) -> Path:
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


@pytest.fixture
def window(chromium: Browser, site: LocalSite) -> Iterator[Callable[..., Window]]:
    """Opens windows. At the end none may have had anything to complain about that no test took note of."""
    windows: list[Window] = []

    def opened(**options: Any) -> Window:
        windows.append(Window(chromium, site, **options))
        return windows[-1]

    yield opened
    for one in windows:
        one.context.close()
    assert [complaint for one in windows for complaint in one.complaints] == []
