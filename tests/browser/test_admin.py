"""The admin in a real browser: a gateway is made, connections are watched, spoken to and ended."""

import json
import re
from collections.abc import Callable, Iterator

import boto3
import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer
from playwright.sync_api import Browser, expect

from tests import moto_apigateway
from tests.browser.conftest import Window
from tests.local_site import LocalSite, running
from tests.provisioned import make_function

KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "eu-west-1"}
SERVICES = ("APIGATEWAYV2", "LAMBDA", "ROUTE_53", "ACM", "IAM")


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """An AWS on loopback, for everything but the tables and the sockets."""
    with pytest.MonkeyPatch.context() as patch:
        moto_apigateway.install(patch)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        moto_api_backend.reset()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="module")
def site(cloud: str) -> Iterator[LocalSite]:
    """The demo, with that AWS to make gateways in."""
    with running(**{f"AWS_ENDPOINT_URL_{service}": cloud for service in SERVICES}) as site:
        yield site


@pytest.fixture
def admin(chromium: Browser, site: LocalSite) -> Iterator[Window]:
    """A window in which the superuser has logged in through the admin's own page."""
    window = Window(chromium, site)
    # The browser asks for one by itself, on pages that name none.
    window.page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    window.page.goto("/admin/")
    window.page.get_by_label("Username").fill("admin")
    window.page.get_by_label("Password").fill("admin-demo")
    window.page.get_by_role("button", name="Log in").click()
    expect(window.page.get_by_role("heading", name="Site administration")).to_be_visible()
    yield window
    window.context.close()
    assert window.complaints == []


@pytest.fixture
def visitors(chromium: Browser, site: LocalSite) -> Iterator[Callable[[str], Window]]:
    """Opens windows of people who chat."""
    opened: list[Window] = []

    def open_window(name: str) -> Window:
        opened.append(Window(chromium, site).log_in(name))
        return opened[-1]

    yield open_window
    for one in opened:
        one.context.close()


def choose(window: Window, action: str, *rows: str) -> None:
    """Ticks rows of a change list, and runs an action on them."""
    for row in rows:
        window.page.get_by_role("row", name=row).get_by_role("checkbox").check()
    window.page.get_by_label("Action:").select_option(label=action)
    window.page.get_by_role("button", name=re.compile("^(Go|Run)$")).click()  # Run from Django 6.1 on


def expect_message(window: Window, text: str) -> None:
    expect(window.page.locator(".messagelist")).to_contain_text(text)


def test_a_gateway_from_the_form_to_aws_and_back(admin: Window, cloud: str) -> None:
    page = admin.page
    gateway = boto3.client("apigatewayv2", endpoint_url=cloud, **KEYS)
    page.get_by_role("link", name="API gateways").first.click()
    page.get_by_role("link", name="Add API gateway").click()
    expect(page.get_by_label("API name")).to_be_focused()  # by Django's script, in the middle of typing if one is early
    page.get_by_label("API name").fill("browser")
    page.get_by_label("Lambda function ARN").fill("nonsense")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Enter the ARN of the Lambda function that answers.")).to_be_visible()
    admin.photograph("admin-gateway-errors")

    expect(page.get_by_label("API name")).to_be_focused()
    page.get_by_label("Lambda function ARN").fill(make_function(cloud, **KEYS))
    page.get_by_text("Add another Additional route").click()
    page.locator("#id_routes-0-name").fill("History")
    page.locator("#id_routes-0-route_key").fill("history")
    page.locator("#id_routes-0-target").fill("/ws/history/")
    admin.photograph("admin-gateway-form")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_message(admin, "was added successfully")

    choose(admin, "Create API Gateway", "browser")
    expect_message(admin, "Gateway browser was created. WebSocket API: done; Routes and integrations: done")
    admin.photograph("admin-gateway-created")
    [api] = gateway.get_apis()["Items"]
    assert "history" in {one["RouteKey"] for one in gateway.get_routes(ApiId=api["ApiId"])["Items"]}

    page.get_by_role("link", name="browser").click()
    page.get_by_text("Add another Additional route").click()
    page.locator("#id_routes-1-name").fill("Typing")
    page.locator("#id_routes-1-route_key").fill("typing")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_message(admin, "AWS: route.typing is now")
    assert "typing" in {one["RouteKey"] for one in gateway.get_routes(ApiId=api["ApiId"])["Items"]}

    choose(admin, "Create custom domain", "browser")
    expect_message(admin, "has no domain name")
    page.get_by_role("link", name="browser").click()
    page.locator("#id_domain_name").fill("ws.example.com")
    page.locator("#id_certificate_arn").fill("arn:aws:acm:eu-west-1:123456789012:certificate/1-2")
    page.get_by_role("button", name="Save", exact=True).click()
    choose(admin, "Create custom domain", "browser")
    expect_message(admin, "wss://ws.example.com")

    gateway.update_api(ApiId=api["ApiId"], Description="From the console")
    choose(admin, "Sync from AWS", "browser")
    expect(page.get_by_role("cell", name="From the console")).to_be_visible()
    admin.photograph("admin-sync")
    page.get_by_role("button", name="Yes, make them equal").click()
    expect_message(admin, "Gateway browser: The record was changed: api.description.")
    gateway.update_api(ApiId=api["ApiId"], Description="Again")
    choose(admin, "Sync to AWS", "browser")
    page.get_by_role("button", name="Yes, make them equal").click()
    expect_message(admin, "Gateway browser: AWS was changed: api.description.")
    assert gateway.get_api(ApiId=api["ApiId"])["Description"] == "From the console"

    page.goto("/admin/")
    expect(page.locator("#recent-actions-module")).to_contain_text("browser")
    admin.photograph("admin-index")
    page.goto("/admin/ws_lambda/apigateway/browser/delete/")
    expect(page.get_by_text(f"API {api['ApiId']} in AWS")).to_be_visible()
    page.get_by_role("button", name="Yes, I’m sure").click()
    expect_message(admin, "was deleted successfully")
    assert gateway.get_apis()["Items"] == []


def test_the_overview_moves_while_clients_come_and_go(admin: Window, visitors: Callable[[str], Window]) -> None:
    page = admin.page
    page.goto("/admin/")
    page.get_by_role("link", name="Live overview").click()
    expect(page.locator("#overview-state")).to_have_text("Live, over this project's WebSocket.")
    channels = page.locator("#overview-channels")
    red = visitors("red").enter("watched")
    expect(channels.get_by_role("row", name="watched 1")).to_be_visible(timeout=15_000)
    blue = visitors("blue").enter("watched")
    expect(channels.get_by_role("row", name="watched 2")).to_be_visible(timeout=15_000)
    connections = int(page.locator("#overview-connections").inner_text())
    red.say("Hello")
    blue.expect_messages("Hello")
    expect(page.locator("#overview-messages")).not_to_have_text("0")
    admin.photograph("admin-overview")
    blue.context.close()
    expect(channels.get_by_role("row", name="watched 1")).to_be_visible(timeout=15_000)
    expect(page.locator("#overview-connections")).to_have_text(str(connections - 1))
    expect(page.locator("#overview-chart rect.overview-messages")).to_have_count(60)


REFUSE_SOCKETS = """
const Real = window.WebSocket;
window.WebSocket = class {
  constructor(...given) {
    if (window.reachable) return new Real(...given);
    setTimeout(() => this.onclose?.(new CloseEvent("close")));
  }
  close() {}
};
"""


def test_the_overview_goes_on_over_http_while_its_socket_cannot_be_had(admin: Window) -> None:
    page = admin.page
    page.add_init_script(REFUSE_SOCKETS)
    with page.expect_response("**/liveoverview/data/") as asked:
        page.goto("/admin/ws_lambda/liveoverview/")
    assert asked.value.ok
    expect(page.locator("#overview-state")).to_contain_text("Updated over HTTP, because the WebSocket is")
    page.evaluate("window.reachable = true")
    expect(page.locator("#overview-state")).to_have_text("Live, over this project's WebSocket.")


def test_a_session_is_written_to_and_disconnected(admin: Window, visitors: Callable[[str], Window]) -> None:
    red = visitors("red").enter("ended")
    connection = red.connection_id()
    red.page.evaluate(
        """() => {
             const socket = window.sockets.at(-1);
             window.heard = [];
             socket.addEventListener("message", ({ data }) => window.heard.push(data));
             socket.addEventListener("close", ({ code }) => { window.closedWith = code; });
           }"""
    )
    page = admin.page
    page.goto("/admin/ws_lambda/websocketsession/?channel=ended")
    expect(page.get_by_role("row", name=connection)).to_be_visible()
    admin.photograph("admin-sessions")

    choose(admin, "Send message to selected connections", connection)
    page.get_by_label("Message").fill('{"type": "notice", "text": "From the admin"}')
    admin.photograph("admin-send-message")
    page.get_by_role("button", name="Send message").click()
    expect_message(admin, "Message: 1 sent, 0 gone, 0 failed")
    red.page.wait_for_function("() => window.heard.some((data) => data.includes('From the admin'))")

    page.goto("/admin/ws_lambda/websocketsession/?channel=ended")
    choose(admin, "Disconnect selected connections", connection)
    expect_message(admin, "Disconnected: 1. Already gone: 0.")
    red.page.wait_for_function("() => window.closedWith !== undefined")
    assert red.page.evaluate("window.closedWith") == 1000
    page.goto(f"/admin/ws_lambda/websocketsession/?connected=no&q={connection}")
    row = page.get_by_role("row", name=connection)
    expect(row.get_by_role("img", name="False")).to_be_visible()
    page.get_by_role("link", name=connection).click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#change-history")).to_contain_text("Disconnected.")


def test_channel_rules_are_edited_and_counters_looked_at(admin: Window, site: LocalSite) -> None:
    page = admin.page
    waiting = json.loads(site.log_in("blue").post("/api/ws-token/", {}))["token"]
    page.goto("/admin/ws_lambda/channelpermission/add/")
    expect(page.get_by_label("Channel")).to_be_focused()
    page.get_by_label("Channel").fill("staff_*")
    page.get_by_label("Access").select_option("permissions")
    page.get_by_label("Rules").fill("chat.view_room chat.add_message\nchat.moderate")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_message(admin, "was added successfully")
    expect(page.get_by_role("row", name="staff_*")).to_contain_text(
        "chat.view_room and chat.add_message or chat.moderate"
    )
    admin.photograph("admin-channel-permissions")
    choose(admin, "Remove members who are not admitted", "staff_*")
    expect_message(admin, "Channel staff_*: 0 removed")
    for name in ("ratelimit", "websockettoken"):
        page.goto(f"/admin/ws_lambda/{name}/")
        expect(page.locator("#result_list tbody tr").first).to_be_visible()
        expect(page.locator("#result_list")).to_contain_text("blue")
        assert waiting not in page.content()
        admin.photograph(f"admin-{name}")
