"""S19 in a real Chromium: a page of another port of this machine, the closest that a foreign page can get."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.local_site import LocalSite, environment_of

READ = """
async ([url, options]) => {
  try { const answer = await fetch(url, options); return [answer.type, answer.status, await answer.text()]; }
  catch (error) { return ["failed", 0, ""]; }
}
"""
LOADED = """
(url) => new Promise((resolve) => {
  const script = Object.assign(document.createElement("script"), { src: url });
  script.onload = () => resolve(true); script.onerror = () => resolve(false);
  document.head.append(script);
})
"""
STREAMED = """
(url) => new Promise((resolve) => {
  const stream = new EventSource(url);
  stream.onmessage = () => resolve(true); stream.onerror = () => resolve(false);
})
"""
SOCKET = """
(url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onopen = () => resolve(true); socket.onerror = () => resolve(false);
})
"""
WRITES: dict[str, dict[str, Any]] = {
    "simple": {"method": "POST", "body": "{}", "headers": {"Content-Type": "text/plain"}},
    "no-cors": {"method": "POST", "body": "{}", "mode": "no-cors"},
    "preflighted": {
        "method": "POST",
        "body": "{}",
        "headers": {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"},
    },
    "with cookies": {"method": "POST", "body": "{}", "credentials": "include"},
    "a DELETE": {"method": "DELETE"},
    "of the page's own": {"method": "POST", "body": '{"username": "red"}', "headers": {"X-Local-Page": "1"}},
    "a GET": {},
    "a GET, no-cors": {"mode": "no-cors"},
}


class Elsewhere(BaseHTTPRequestHandler):
    """A page with nothing on it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def elsewhere(chromium: Browser) -> Iterator[Page]:
    """The page, open."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    yield page
    page.close()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def env(site: LocalSite) -> dict[str, str]:
    return environment_of(site.page_url)


def test_nothing_is_read_and_nothing_is_written(elsewhere: Page, site: LocalSite, env: dict[str, str]) -> None:
    dynamodb, page = env["AWS_ENDPOINT_URL_DYNAMODB"], site.page_url
    before = environment_of(page)
    paths = ["/", "/env", "/_page/state", "/_page/token", "/_page/act", "/_sqs/", "/local", "/local/@connections/x"]
    urls = [f"{dynamodb}/", f"{dynamodb}/moto-api/reset", *(page + path for path in paths)]
    for url in urls:
        for how, options in WRITES.items():
            kind, status, text = elsewhere.evaluate(READ, [url, options])
            assert (kind, status, text) in (("failed", 0, ""), ("opaque", 0, "")), (url, how)
    for path in ("/env", "/_page/page.js", "/_page/state"):
        assert not elsewhere.evaluate(LOADED, page + path), path
    assert not elsewhere.evaluate(STREAMED, f"{page}/_page/stream")
    assert environment_of(page) == before
    assert "A room exists as soon as" in site.log_in("red").get("/"), "the accounts are still there"


def test_a_socket_opens_if_the_view_admits_the_user(elsewhere: Page, site: LocalSite, env: dict[str, str]) -> None:
    with_token = site.log_in("red").socket_url("general")
    assert not elsewhere.evaluate(SOCKET, with_token.partition("?")[0])
    assert elsewhere.evaluate(SOCKET, with_token), "the demo's ALLOWED_HOSTS has 127.0.0.1, and no page gets a token"
    for url in (env["AWS_ENDPOINT_URL_DYNAMODB"], f"{site.page_url}/_page/stream", site.page_url):
        assert not elsewhere.evaluate(SOCKET, url.replace("http:", "ws:"))
