"""docs/quickstart.md, followed to the letter in a new project, in a real browser."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.local_site import ROOT, LocalSite, running

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "quickstart.md").read_text(), re.DOTALL)
FILES = {"settings.py": "mysite/settings.py", "urls.py": "mysite/urls.py"}
NAMED = re.compile(r"^(?:# (\S+\.py)|\{# (\S+\.html) #\})\n")
VIEW, HISTORY_VIEW = (text for _kind, text in BLOCKS if text.startswith("# chat/views.py"))
(CONFIRMED,) = (text for kind, text in BLOCKS if kind == "js")


def manage(folder: Path, *arguments: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_", "DJANGO_"))}
    env["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "manage.py", *arguments]
    ended = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def write(folder: Path, text: str) -> None:
    """Puts a block of the document where its first line says; settings are added to those there are."""
    found = NAMED.match(text)
    if not found:
        return
    name = found[1] or found[2]
    path = folder / FILES.get(name, name)
    path.parent.mkdir(exist_ok=True)
    if name == "settings.py":
        text = path.read_text() + text.replace("INSTALLED_APPS = [\n    # …", "INSTALLED_APPS += [")
    path.write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Sections 1 to 4, with the commands in between."""
    start = [sys.executable, "-m", "django", "startproject", "mysite", "."]
    subprocess.run(start, cwd=tmp_path, check=True)
    manage(tmp_path, "startapp", "chat")
    for _kind, text in BLOCKS:
        if text != HISTORY_VIEW:
            write(tmp_path, text)
    manage(tmp_path, "migrate")
    return tmp_path


@pytest.fixture
def served(project: Path) -> Iterator[Callable[[], LocalSite]]:
    """Starts it, once the test has made its changes."""
    context = running(project, DJANGO_SETTINGS_MODULE="mysite.settings", PYTHONPATH=str(ROOT))
    yield context.__enter__
    context.__exit__(None, None, None)


def log_in(browser: Browser, site: LocalSite, name: str) -> Page:
    page = browser.new_context(base_url=site.url).new_page()
    page.set_default_timeout(PATIENCE)
    with page.expect_websocket():
        page.goto("/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(f"{name}-demo")
        page.get_by_role("button", name="Log in").click()
    return page


def say(page: Page, text: str) -> None:
    """Says it, and once more where there was no connection yet: the field then keeps the text."""
    page.get_by_label("Message").fill(text)
    while page.get_by_label("Message").input_value():
        page.get_by_role("button", name="Send").click()
        page.wait_for_timeout(50)


def test_two_windows_talk(chromium: Browser, served: Callable[[], LocalSite]) -> None:
    site = served()
    red, blue = (log_in(chromium, site, name) for name in ("red", "blue"))
    say(blue, "Is anyone there?")
    expect(blue.locator("li")).to_have_text(["blue: Is anyone there?"])
    say(red, "<b>Me</b>")
    expect(blue.locator("li").last).to_have_text("red: <b>Me</b>")
    for page in (red, blue):
        page.context.close()


def test_history_is_there_on_entering(chromium: Browser, project: Path, served: Callable[[], LocalSite]) -> None:
    write(project, HISTORY_VIEW)
    page = project / "chat" / "templates" / "chat.html"
    text = page.read_text().replace("    history: null,\n", "")
    changed = re.sub(r"    if \(client\.post.*\n", lambda _found: CONFIRMED, text)
    assert changed != text
    page.write_text(changed)
    site = served()
    red = log_in(chromium, site, "red")
    for line in ("One", "Two"):
        say(red, line)
    expect(red.locator("li")).to_have_text(["red: One", "red: Two"])
    blue = log_in(chromium, site, "blue")
    expect(blue.locator("li")).to_have_text(["red: One", "red: Two"])
    for one in (red, blue):
        one.context.close()
