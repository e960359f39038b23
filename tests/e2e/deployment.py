"""One deployment: a copy of the project, `zappa` commands in it, and clients of the deployed function."""

import http.client
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.e2e.cloud import Cloud
from tests.local_site import ROOT
from tests.venvs import environment

STAGE = "dev"
PACKED = ("project", "ws_lambda", "manage.py", "serverless_config", "zappa_settings.json")


class Deployment:
    """The demo in its own directory, ready to be deployed to an emulated AWS."""

    def __init__(self, directory: Path, aws: Cloud, *, websocket_api: dict[str, Any] | None = None) -> None:
        self.aws = aws
        self.directory = directory / "demo"
        self.venv = environment("deploy", "--editable", ".[zappa]")
        self.calls = directory / "calls.txt"
        self.calls.touch()
        self.scratch = directory / "tmp"
        self.scratch.mkdir()
        self._copy()
        self._settle(websocket_api or {})

    def _copy(self) -> None:
        leave = shutil.ignore_patterns("__pycache__")
        self.directory.mkdir()
        for name in PACKED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.directory / name, ignore=leave)
            else:
                shutil.copy(source, self.directory / name)
        shutil.copytree(Path(__file__).with_name("site"), self.directory / "e2e_site", ignore=leave)

    def _settle(self, websocket_api: dict[str, Any]) -> None:
        """Writes the repository's own settings, without what the emulator lacks."""
        path = self.directory / "zappa_settings.json"
        settings = json.loads(path.read_text())
        stage = settings[STAGE]
        stage["runtime"] = f"python3.{sys.version_info.minor}"
        stage["package"]["glibc"] = platform.libc_ver()[1]  # the emulator runs functions on this machine
        stage["django_settings"] = "e2e_site.settings"
        stage["websocket_api"]["routes"] += ["who"]
        stage["websocket_api"] |= {"route_responses": False, **websocket_api}
        stage["aws_environment_variables"]["FANOUT_QUEUE_URL"] = self.aws.queue_url(f"demo-{STAGE}-fanout")
        (prune,) = [one for one in stage["events"] if one["function"] == "ws_lambda.housekeeping.prune"]
        prune["expression"] = "rate(1 minute)"
        path.write_text(json.dumps(settings, indent=4))

    def zappa(self, *arguments: str) -> str:
        """Runs `zappa`, and returns what it printed."""
        return self._run("zappa", *arguments)

    def manage(self, *arguments: str) -> str:
        """Runs `manage.py` here with the deployer's rights, and returns its standard output."""
        return self._run("python", "manage.py", *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        bin_directory = self.venv / "bin"
        variables = {
            "PATH": f"{bin_directory}:{os.environ['PATH']}",
            "HOME": str(self.scratch),
            "TMPDIR": str(self.scratch),
            "VIRTUAL_ENV": str(self.venv),
            "PYTHONPATH": str(Path(__file__).with_name("recorder")),
            "NOTED_CALLS": str(self.calls),
            "TABLE_PREFIX": f"demo_{STAGE}_",
            # Keeps Zappa from asking the package index for a newer version of itself.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            **self.aws.environment,
        }
        done = subprocess.run(
            [bin_directory / program, *arguments],
            cwd=self.directory,
            env=variables,
            capture_output=True,
            text=True,
            timeout=1_200,
            check=False,
        )
        assert done.returncode == 0, f"{program} {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout if program == "python" else done.stdout + done.stderr

    def noted_calls(self) -> Counter[tuple[str, str, str]]:
        """Counts the (service, operation, method) of every call that Zappa has made."""
        return Counter(tuple(line.split()) for line in self.calls.read_text().splitlines())  # type: ignore[misc]

    def function(self) -> dict[str, Any]:
        """The function's configuration."""
        return dict(self.aws.client("lambda").get_function_configuration(FunctionName=f"demo-{STAGE}"))

    def set_variables(self, **more: str) -> None:
        """Puts variables into the function's environment, as an operator would."""
        variables = {**self.function()["Environment"]["Variables"], **more}
        self.aws.client("lambda").update_function_configuration(
            FunctionName=f"demo-{STAGE}", Environment={"Variables": variables}
        )

    def variable(self, name: str) -> str:
        return str(self.function()["Environment"]["Variables"][name])

    def websocket(self, query: dict[str, str] | None = None) -> AbstractContextManager[ClientConnection]:
        """Connects to the URL that comes with tokens. Only the host's address is replaced, by the emulator's."""
        url = self.variable("WS_LAMBDA_WEBSOCKET_URL").replace("wss://", "ws://", 1)
        return connect(
            f"{url}?{urllib.parse.urlencode(query or {})}",
            origin=f"https://{self.variable('WS_LAMBDA_HTTP_HOST')}",  # type: ignore[arg-type]
            sock=socket.create_connection(("127.0.0.1", self.aws.port)),
            open_timeout=120,
            ping_interval=None,  # an emulator on a busy machine may be slow to answer pings
            compression=None,
        )


class Browser:
    """The part of a browser that a login needs: cookies, and the CSRF token of a form."""

    def __init__(self, deployment: Deployment) -> None:
        self.port = deployment.aws.port
        self.host = deployment.variable("WS_LAMBDA_HTTP_HOST")
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Host": self.host, "Origin": f"https://{self.host}", "Referer": f"https://{self.host}/{STAGE}{path}"}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": self.cookies["csrftoken"]})
        connection.request(method, f"/{STAGE}{path}", body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        return response.status, text

    def log_in(self, name: str, password: str) -> None:
        status, page = self.request("GET", "/login/")
        assert status == 200, page
        assert re.search(r'name="csrfmiddlewaretoken"', page)
        status, page = self.request("POST", "/login/", {"username": name, "password": password})
        assert status == 302, page

    def token(self) -> dict[str, Any]:
        status, text = self.request("POST", "/api/ws-token/", {})
        assert status == 200, text
        return dict(json.loads(text))
