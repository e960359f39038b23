"""`manage.py ws_local` with the demo, as a fixture: a real site and a real gateway, on free ports.

This is a plugin and not a conftest, because tests of several folders share it.
"""

import http.cookiejar
import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATIENT = str(ROOT / "tests" / "patient_pynamodb.py")
PATIENCE = 180
"""Seconds in which it must start, and in which it must end."""


@dataclass(frozen=True, slots=True)
class LocalSite:
    """The addresses of a running demo."""

    url: str
    """The URL of the pages, without a slash at the end."""

    gateway: str
    """The host, port and stage of the gateway."""

    @property
    def page_url(self) -> str:
        """The URL of the gateway's live page, without a slash at the end."""
        return f"http://{self.gateway.partition('/')[0]}"

    @property
    def keys(self) -> dict[str, str]:
        """Arguments for a boto3 client of the run. They come from the gateway, as for a shell."""
        return keys_of(self.page_url)

    @property
    def management_url(self) -> str:
        """The endpoint of @connections."""
        return f"http://{self.gateway}"

    def log_in(self, name: str) -> "Visitor":
        """A client that has logged in through the login page."""
        return Visitor(self, name)


class Visitor:
    """A client with cookies that is not a browser."""

    def __init__(self, site: LocalSite, name: str) -> None:
        self.site = site
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self.get("/login/")
        self.post("/login/", {"username": name, "password": f"{name}-demo"})

    def get(self, path: str) -> str:
        return self._ask(self.site.url + path)

    def post(self, path: str, data: dict[str, str]) -> str:
        csrf = next(cookie.value for cookie in self._cookies if cookie.name == "csrftoken")
        body = urllib.parse.urlencode(data).encode()
        request = urllib.request.Request(self.site.url + path, body, {"X-CSRFToken": csrf or ""})  # noqa: S310
        return self._ask(request)

    def _ask(self, request: str | urllib.request.Request) -> str:
        try:
            with self._opener.open(request) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                error.add_note(error.read().decode())  # in debug mode, this is the page with the exception
            raise

    def socket_url(self, channel: str) -> str:
        """A URL that opens one WebSocket within ten minutes, the lifetime of this site's tokens."""
        grant: dict[str, Any] = json.loads(self.post("/api/ws-token/", {}))
        return f"{grant['url']}?{urllib.parse.urlencode({'channel': channel, 'ws_token': grant['token']})}"


def environment_of(page_url: str) -> dict[str, str]:
    """The variables that the gateway gives to a shell."""
    with urllib.request.urlopen(f"{page_url}/env") as answer:  # noqa: S310 - our own server
        return dict(re.findall(r"export (\w+)=(\S+)", answer.read().decode()))


def keys_of(page_url: str) -> dict[str, str]:
    """The credentials of the run with this gateway."""
    exported = environment_of(page_url)
    return {
        "aws_access_key_id": exported["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": exported["AWS_SECRET_ACCESS_KEY"],
        "region_name": exported["AWS_REGION"],
    }


def required(what: str) -> None:
    """Skips a test if a program is missing; with WS_LAMBDA_REQUIRE_ALL=1, fails it."""
    if os.environ.get("WS_LAMBDA_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is not installed, and WS_LAMBDA_REQUIRE_ALL=1 wants it")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def site() -> Iterator[LocalSite]:
    """The demo, running."""
    with running() as site:
        yield site


@contextmanager
def running(folder: Path = ROOT, options: tuple[str, ...] = (), **more: str) -> Iterator[LocalSite]:
    """Runs the demo, or the project in another folder, with more options and environment variables."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_"))}
    env |= {"DJANGO_SETTINGS_MODULE": "tests.local_site_settings", "PYTHONUNBUFFERED": "1", "PYNAMODB_CONFIG": PATIENT}
    env |= more
    command = [sys.executable, "manage.py", "ws_local", "--port=0", "--ws-port=0", "--noreload", *options]
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        ready = threading.Event()
        reader = threading.Thread(target=_read, args=(process, said, ready))
        reader.start()
        try:
            ready.wait(PATIENCE)
            yield _find_urls("".join(said))
        finally:
            process.terminate()
            code = process.wait(PATIENCE)
            reader.join()
    assert code == 0, f"ws_local ended with {code}:\n{''.join(said)}"


def _read(process: subprocess.Popen[str], said: list[str], ready: threading.Event) -> None:
    """Keeps reading after the banner, because a full pipe would stop the server."""
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            ready.set()
    ready.set()


def _find_urls(banner: str) -> LocalSite:
    page = re.search(r"http://127\.0\.0\.1:\d+(?=/\s)", banner)
    gateway = re.search(r"ws://(127\.0\.0\.1:\d+/\w+)", banner)
    if not page or not gateway:
        pytest.fail(f"ws_local did not start:\n{banner}")
    return LocalSite(page.group(), gateway.group(1))
