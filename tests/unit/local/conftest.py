"""A project in a folder of its own, and `manage.py ws_local` running in it."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
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


@pytest.fixture
def folder(tmp_path):
    for name, text in (("settings.py", SETTINGS), ("urls.py", URLS), ("manage.py", MANAGE)):
        (tmp_path / name).write_text(text)
    return tmp_path


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


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
