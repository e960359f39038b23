"""The live page's own interface."""

import asyncio
import json
import socket
import subprocess
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from tests.conformance.core import Bench
from ws_lambda.local.emulator import Gateway
from ws_lambda.local.gateway_clock import SystemClock
from ws_lambda.local.live_page import Project
from ws_lambda.local.redact import redacted
from ws_lambda.local.server import Server
from ws_lambda.local.upgrade import Upgrade

OWN = {"X-Local-Page": "1"}


@asynccontextmanager
async def serving():
    """A client of a page, and the gateway behind it with one connection."""
    project = Project(
        site="http://site/",
        accounts=("red",),
        sessions=lambda ids: {one: {"user": "7", "channels": ["general"]} for one in ids},
        token=lambda username: f"token of {username}",
        environment={"AWS_REGION": "eu-west-1", "ODD": "it's $HOME", "AWS_PROFILE": ""},
    )
    gateway = Gateway(Bench().gateway.api, clock=SystemClock(), seed=1)
    server = Server(gateway, {"local": "local"}, project)
    async with TestClient(TestServer(server.app)) as http:
        upgrade = Upgrade(headers=(("Cookie", "sessionid=s3cret"),), query_string="ws_token=s3cret&channel=general")
        connection = await gateway.connect(upgrade)
        yield http, gateway, connection
        await gateway.clock.finish()


def run(test):
    async def within():
        async with serving() as given:
            await test(*given)

    asyncio.run(within())


def test_the_page_and_its_files_are_there():
    async def test(http, gateway, connection):
        for path, kind in (("/", "text/html"), ("/_page/page.css", "text/css"), ("/_page/page.js", "text/javascript")):
            answer = await http.get(path)
            assert (answer.status, answer.content_type) == (200, kind)
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]

    run(test)


def test_a_shell_can_take_over_the_environment():
    async def test(http, gateway, connection):
        said = await (await http.get("/env")).text()
        shell = f"AWS_PROFILE=mine\n{said}\necho $AWS_REGION:$ODD:${{AWS_PROFILE-unset}}"
        echoed = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
        assert echoed == "eu-west-1:it's $HOME:unset\n"
        assert (await http.get("/env", headers={"Host": "evil.example"})).status == 403

    run(test)


@pytest.mark.parametrize(("port", "cookies"), [(0, []), (1, ["sessionid=s3cret"])])
def test_the_page_connects_without_the_cookies_of_the_site(port, cookies):
    async def test():
        gateway = Gateway(Bench().gateway.api, clock=SystemClock(), seed=1)
        listening = socket.create_server(("127.0.0.1", 0))
        number = listening.getsockname()[1]
        server = Server(gateway, {"local": "local"})
        await server.start(listening)
        headers = {"Origin": f"http://127.0.0.1:{number + port}", "Cookie": "sessionid=s3cret"}
        url = f"http://127.0.0.1:{number}{gateway.api.path}"
        async with ClientSession() as browser, browser.ws_connect(url, headers=headers):
            (connection,) = gateway.pool
            assert [value for name, value in connection.upgrade.headers if name.lower() == "cookie"] == cookies
        await server.stop()

    asyncio.run(test())


def test_state_names_connections_users_and_channels():
    async def test(http, gateway, connection):
        state = await (await http.get("/_page/state", headers=OWN)).json()
        assert (state["open"], state["accounts"], state["site"]) == (1, ["red"], "http://site/")
        (one,) = state["connections"]
        assert (one["id"], one["user"], one["channels"]) == (connection.connection_id, "7", ["general"])

    run(test)


def test_events_are_streamed_without_tokens_and_cookies():
    async def test(http, gateway, connection):
        async with http.get("/_page/stream") as stream:
            line = await stream.content.readline()
        entry = json.loads(line.removeprefix(b"data: "))
        assert (entry["kind"], entry["status"]) == ("$connect", 200)
        assert entry["event"]["queryStringParameters"] == {"ws_token": "(hidden)", "channel": "general"}
        assert b"s3cret" not in line

    run(test)


def test_connections_can_be_posted_to_closed_and_cut():
    async def test(http, gateway, connection):
        async def act(method):
            body = {"method": method, "id": connection.connection_id, "text": "hi"}
            return (await (await http.post("/_page/act", json=body, headers=OWN)).json())["status"]

        assert await act("POST") == 200
        assert connection.messages_out == 1
        assert await act("LOSE") == 200
        assert len(gateway.pool) == 0
        assert [await act(method) for method in ("LOSE", "DELETE", "POST")] == [410, 410, 410]

    run(test)


def test_tokens_are_for_accounts_only():
    async def test(http, gateway, connection):
        answer = await http.post("/_page/token", json={"username": "red"}, headers=OWN)
        assert await answer.json() == {"token": "token of red"}
        assert (await http.post("/_page/token", json={"username": "root"}, headers=OWN)).status == 404

    run(test)


@pytest.mark.parametrize("path", ["/_page/state", "/_page/token", "/_page/act"])
def test_another_sites_page_cannot_ask(path):
    async def test(http, gateway, connection):
        ask = http.get if path.endswith("state") else http.post
        assert (await ask(path)).status == 403

    run(test)


@pytest.mark.parametrize("path", ["/", "/_page/stream", "/_page/state"])
def test_another_host_name_is_refused(path):
    async def test(http, gateway, connection):
        assert (await http.get(path, headers={"Host": "evil.example:8001", **OWN})).status == 403

    run(test)


def test_tokens_are_hidden_wherever_they_travel():
    event = {
        "headers": {"Cookie": "a", "Sec-WebSocket-Protocol": "chat, ws-token.abc123"},
        "multiValueQueryStringParameters": {"ws_token": ["a", "b"]},
        "n": 1,
    }
    assert redacted(event) == {
        "headers": {"Cookie": "(hidden)", "Sec-WebSocket-Protocol": "chat, ws-token.(hidden)"},
        "multiValueQueryStringParameters": {"ws_token": ["(hidden)", "(hidden)"]},
        "n": 1,
    }
