"""A project in a folder of its own, and `manage.py ws_local` running in it."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.local_site import PATIENT, ROOT, keys_of

PATIENCE = 120

SETTINGS = """
SECRET_KEY, DEBUG, ALLOWED_HOSTS = "x", True, ["*"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "ws_lambda"]
DATABASES = {}
ROOT_URLCONF = "urls"
WS_LAMBDA = {"REQUIRE_TOKEN": False, "ALLOW_MISSING_ORIGIN": True, "UNLISTED_CHANNELS": "anyone", "GATEWAY_SECRET": "s"}
"""

URLS = """
from django.http import HttpResponse, JsonResponse
from django.urls import path
from ws_lambda.views import WebSocketView

class Echo(WebSocketView):
    def default(self, request, *args, **kwargs):
        return JsonResponse({"version": 1, "door": type(request).__name__})

urlpatterns = [path("", lambda request: HttpResponse("version 1")), path("ws/<slug:route>", Echo.as_view())]
"""

MANAGE = (ROOT / "manage.py").read_text().replace("project.settings", "settings")


class Run:
    """A running `ws_local`."""

    def __init__(self, process, banner):
        self.process = process
        self.site, self.gateway = (
            found[0] if (found := re.search(pattern, banner)) else ""
            for pattern in (r"http://\S+:\d+/(?=\s)", r"ws://127.0.0.1:\d+/local")
        )

    @property
    def page_url(self):
        return self.gateway.replace("ws:", "http:").removesuffix("/local")

    @property
    def keys(self):
        return keys_of(self.page_url)

    def page(self, timeout=PATIENCE):
        with urllib.request.urlopen(self.site, timeout=timeout) as answer:  # noqa: S310 - our own server
            return answer.read().decode()

    def serves(self, text):
        """Whether the site answers with this; an error of the code of the moment is another answer."""
        try:
            return self.page() == text
        except urllib.error.HTTPError as error:
            error.close()
            return False


def project_in(folder: Path, settings: str = SETTINGS, urls: str = URLS) -> Path:
    """Puts a project into a folder."""
    for name, text in (("settings.py", settings), ("urls.py", urls), ("manage.py", MANAGE)):
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def folder(tmp_path):
    return project_in(tmp_path)


def put_back(run: "Run", folder: Path, settings: str, urls: str) -> None:
    """Has a run that several tests share serve the code that it began with."""
    for name, text in (("settings.py", settings), ("urls.py", urls)):
        if (folder / name).read_text() != text:
            (folder / name).write_text(text)
    deadline = time.monotonic() + PATIENCE
    while not run.serves("version 1"):
        assert time.monotonic() < deadline, "the run does not serve the code that it began with"
        with suppress(AssertionError):
            wait_for(lambda: run.serves("version 1"), 10)
            return
        (folder / "urls.py").touch()  # a change within a second of the module's import may go unnoticed


def environment():
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_", "DJANGO_"))}
    return env | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYNAMODB_CONFIG": PATIENT}


@contextmanager
def running(folder: Path, *arguments: str):
    command = [sys.executable, "manage.py", "ws_local", "--port=0", "--ws-port=0", *arguments]
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=said, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: "Ctrl-C" in (folder / "said").read_text() or process.poll() is not None)
            yield Run(process, (folder / "said").read_text())
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)


def connected(url):
    return connect(url, open_timeout=PATIENCE)


def wait_for(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
