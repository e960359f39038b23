"""`manage.py ws_local` as a process: starting, what it serves, and reloading."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.local_site import ROOT
from tests.unit.local.conftest import (
    PATIENCE,
    SETTINGS,
    URLS,
    connected,
    environment,
    project_in,
    put_back,
    running,
    wait_for,
)  # fmt: skip

QUEUED = """
import os
WS_LAMBDA |= {"FANOUT_QUEUE_URL": os.environ.get("FANOUT_QUEUE_URL", ""), "FANOUT_INLINE_MAX": 2, "FANOUT_WORKERS": 2}
"""

BROADCASTING = """
    def everyone(self, request, *args, **kwargs):
        room = WebSocketSession.objects.filter(channel_name=self.websocket_session.channel_name)
        report = room.send_message({"hello": "all"})
        return JsonResponse({"sent": report.sent, "queued": report.queued})
"""


SHARED_SETTINGS = SETTINGS + QUEUED
SHARED_URLS = "from ws_lambda.models import WebSocketSession\n" + URLS.replace(
    "\nurlpatterns", BROADCASTING + "\nurlpatterns"
)


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory):
    """One run for the tests that leave it as it was."""
    folder = project_in(tmp_path_factory.mktemp("shared"), SHARED_SETTINGS, SHARED_URLS)
    with running(folder) as run:
        yield run, folder


@pytest.fixture
def shared(shared_run):
    """That run and its folder, in which a test may edit the code."""
    run, folder = shared_run
    put_back(run, folder, SHARED_SETTINGS, SHARED_URLS)
    return run, folder


def test_an_edited_view_is_live_and_sockets_stay_open(shared):
    run, folder = shared
    with connected(run.gateway) as client:
        client.send("{}")
        assert json.loads(client.recv(PATIENCE))["version"] == 1
        (folder / "urls.py").write_text(
            SHARED_URLS.replace("ersion 1", "ersion 2").replace('"version": 1', '"version": 2')
        )
        wait_for(lambda: run.page() == "version 2")
        client.send("{}")
        assert json.loads(client.recv(PATIENCE))["version"] == 2


def test_a_view_that_does_not_import_is_mended_without_a_restart(shared):
    run, folder = shared

    def broken():
        try:
            return not run.page()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 500

    with connected(run.gateway) as client:
        (folder / "urls.py").write_text("this is no Python")
        wait_for(broken)
        (folder / "urls.py").write_text(SHARED_URLS.replace("version 1", "mended"))
        wait_for(lambda: not broken() and run.page() == "mended")
        client.send("{}")
        assert json.loads(client.recv(PATIENCE))["version"] == 1


def test_settings_that_do_not_load_are_mended_without_a_restart(shared):
    run, folder = shared
    with connected(run.gateway) as client:
        assert run.page() == "version 1"
        (folder / "settings.py").write_text("this is no Python")
        wait_for(lambda: "SyntaxError" in (folder / "said").read_text())
        (folder / "settings.py").write_text(SHARED_SETTINGS)
        assert run.page() == "version 1"
        client.send("{}")
        assert json.loads(client.recv(PATIENCE))["version"] == 1


def test_commands_of_another_terminal_reach_the_run(shared):
    run, folder = shared
    with connected(f"{run.gateway}?channel=general") as client:
        env_url = re.search(r"http://\S+/env", (folder / "said").read_text())[0]
        with urllib.request.urlopen(env_url) as answer:  # noqa: S310 - our own server
            manage = f"{sys.executable} manage.py"
            shell = f"{answer.read().decode()}{manage} ws_tables status && {manage} ws_send --channel general Hello"
        env = environment() | {"AWS_PROFILE": "somebody"}
        ended = subprocess.run(["sh", "-c", shell], cwd=folder, env=env, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        assert client.recv(PATIENCE) == "Hello"


def test_a_big_broadcast_goes_through_the_runs_own_queue(shared):
    run, _folder = shared
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(f"{run.gateway}?channel=room")) for _ in range(5)]
        clients[0].send('{"action": "everyone"}')
        for client in clients[1:]:
            assert json.loads(client.recv(PATIENCE)) == {"hello": "all"}
        heard = [json.loads(clients[0].recv(PATIENCE)) for _ in range(2)]
        assert {"hello": "all"} in heard
        assert {"sent": 0, "queued": 2} in heard


def refused(folder: Path, option: str, port: int) -> str:
    """What a run that cannot have its port says."""
    ports = {"port": 0, "ws-port": 0, option: port}
    command = [sys.executable, "manage.py", "ws_local", *(f"--{name}={value}" for name, value in ports.items())]
    ended = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert ended.returncode == 1
    return ended.stderr


def test_a_taken_port_is_one_line_and_exit_code_1(folder):
    with taken_port() as port:
        said = refused(folder, "ws-port", port)
    assert said.count("\n") == 1
    assert cannot_be_used(port) in said


def test_the_port_of_the_site_may_be_taken_too():
    with taken_port() as port, pytest.raises(CommandError) as stopped:
        call_command("ws_local", f"--port={port}", "--ws-port=0")
    assert "\n" not in str(stopped.value)
    assert cannot_be_used(port) in str(stopped.value)


@contextmanager
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def cannot_be_used(port: int) -> str:
    return f"Port {port} on 127.0.0.1 cannot be used: Address already in use. Choose another one with --port"


def test_a_port_that_is_none_is_one_line():
    with pytest.raises(CommandError, match=r"^Port 70000 on 127\.0\.0\.1 cannot be used: it must be from 0 to .*$"):
        call_command("ws_local", "--port=70000", "--ws-port=0")


def test_knobs_reach_the_gateway(folder):
    knobs = ("--fault=connections.error", "--latency=300", "--quota=requests_per_second=0", "--quota=request_burst=3")
    more = ("--option=binary_reason=no bytes", "--seed=7", "--speed=2")
    with running(folder, "--noreload", *knobs, *more) as run:
        assert "repeat them with --seed 7" in (folder / "said").read_text()
        with connected(run.gateway) as client:
            before = time.monotonic()
            client.send("{}")
            client.recv(PATIENCE)
            assert time.monotonic() - before >= 0.15
            assert status_of_post(run) == 500
            with pytest.raises(InvalidStatus) as refused:
                connected(run.gateway)
            assert refused.value.response.status_code == 429
            client.send(b"bytes")
            with pytest.raises(ConnectionClosed):
                client.recv(PATIENCE)
            assert (client.close_code, client.close_reason) == (1003, "no bytes")


def test_faults_of_dynamodb_reach_the_function(folder):
    with running(folder, "--noreload", "--fault=dynamodb.error") as run:
        with pytest.raises(InvalidStatus) as refused:
            connected(run.gateway)
        assert refused.value.response.status_code >= 500


def test_events_as_http_requests_go_on_though_answers_of_dynamodb_are_lost(folder):
    lossy = running(folder, "--noreload", "--integration=http", "--fault=dynamodb.cut=0.2", "--seed=5")
    with lossy as run, connected(f"{run.gateway}?channel=general") as client:
        client.send("{}")
        assert json.loads(client.recv(PATIENCE))["door"] == "WSGIRequest"


def status_of_post(run):
    """What @connections answers to a signed POST."""
    client = boto3.client(
        "apigatewaymanagementapi", endpoint_url=run.gateway.replace("ws:", "http:"), **run.keys,
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    with closing(client), pytest.raises(ClientError) as refused:
        client.post_to_connection(ConnectionId="any=", Data=b"x")
    return refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("option", ["--fault=kill=2", "--latency=slow", "--quota=x=1", "--option=x=1", "--speed=0"])
def test_a_knob_that_cannot_be_is_one_line(option):
    with pytest.raises(CommandError) as refused:
        call_command("ws_local", "--port=0", "--ws-port=0", option)
    assert "\n" not in str(refused.value)


def test_a_knob_that_cannot_be_gives_exit_code_1(folder):
    ended = subprocess.run(
        [sys.executable, "manage.py", "ws_local", "--port=0", "--ws-port=0", "--fault=kill=2"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('WS_LAMBDA = {"TOKEN_SECONDS": "soon"}', "WS_LAMBDA['TOKEN_SECONDS'] must be a number"),
        (
            'WS_LOCAL_ACCOUNTS = {"red": {"password": "x"}}\n'
            'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}',
            "Run `manage.py migrate` first.",
        ),
    ],
    ids=["a bad setting", "no tables of users"],
)
def test_a_project_that_cannot_start_is_told_why_in_one_line(folder, more, sentence):
    (folder / "settings.py").write_text(f"{SETTINGS}{more}\n")
    with running(folder, "--noreload") as run:
        assert run.process.wait(PATIENCE) == 1
    said = (folder / "said").read_text()
    assert sentence in said
    assert said.count("\n") == 1
