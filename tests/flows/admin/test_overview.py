"""The overview: counted from the index of open connections, answered over HTTP and over the WebSocket."""

from collections import Counter
from typing import Any

import pytest
from django.test import Client

from tests.flows.admin.conftest import logged_in, person, session
from ws_lambda import clock
from ws_lambda.admin import overview
from ws_lambda.models import ApiGateway, stats
from ws_lambda.testing import connect_event, decode_answer, invoke, message_event

PAGE = "/admin/ws_lambda/liveoverview/"


@pytest.fixture
def some(root: Client) -> Client:
    ApiGateway(api_name="chat", api_id="abc", api_endpoint="wss://abc.example.com", status="deployed").save()
    for n in range(7):
        session(f"C{n}=", live_shard=str(n % 4), channel_name="general" if n < 5 else "")
    session("gone", connected=False, channel_name="general")
    session("other", live_shard="0", api_id="zzz", channel_name="support")
    return root


def test_connections_are_counted_by_channel_and_by_gateway(some: Client) -> None:
    said = some.get(PAGE + "data/").json()
    assert (said["connections"], said["complete"]) == (8, True)
    assert said["channels"] == [
        {"name": "general", "connections": 5},
        {"name": "(none)", "connections": 2},
        {"name": "support", "connections": 1},
    ]
    assert said["gateways"] == [{"name": "chat (abc)", "connections": 7}, {"name": "zzz", "connections": 1}]
    assert len(said["hour"]) == 60


def test_the_page_carries_a_snapshot(some: Client) -> None:
    shown = some.get(PAGE).content.decode()
    assert "Live overview" in shown
    assert '"connections": 8' in shown
    assert 'data-token-url="/api/ws-token/"' in shown
    assert "Live overview" in some.get("/admin/ws_lambda/websocketsession/").content.decode()


def test_only_the_biggest_channels_are_named(root: Client) -> None:
    for n in range(overview.TOP + 3):
        session(f"C{n}=", channel_name=f"room_{n}")
    said = root.get(PAGE + "data/").json()
    assert len(said["channels"]) == overview.TOP + 1
    assert said["channels"][-1] == {"name": "3 others", "connections": 3}


def test_a_snapshot_costs_a_bounded_number_of_requests_and_is_shared(
    some: Client, admin_tables: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    admin_tables.clear()
    first = overview.snapshot()
    assert Counter(admin_tables)["Query"] <= 4 + 4
    assert set(admin_tables) <= {"Query", "Scan"}
    admin_tables.clear()
    assert overview.snapshot() is first
    assert admin_tables == []
    moment += overview.REFRESH_SECONDS
    assert overview.snapshot() is not first


def test_more_than_may_be_read_is_at_least(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from ws_lambda.models.session import WebSocketSession

    for n in range(6):
        session(f"C{n}=", live_shard="0")
    query = type(WebSocketSession.live).query

    def small_pages(self: Any, *args: Any, **kwargs: Any) -> Any:
        return query(self, *args, page_size=2, **kwargs)

    monkeypatch.setattr(type(WebSocketSession.live), "query", small_pages)
    made = overview.make()
    assert (made["connections"], made["complete"]) == (4, False)


def test_a_user_who_may_not_view_sessions_sees_no_overview(admin_tables: list[str]) -> None:
    person("clerk", permission_names=["ws_lambda.view_apigateway"])
    clerk = logged_in("clerk")
    assert clerk.get(PAGE).status_code == 403
    assert clerk.get(PAGE + "data/").status_code == 403


def ask(user: str, **more: Any) -> tuple[int, Any]:
    """What the overview answers to a connection of a user."""
    session("C1=", api_id="test", user_id=user, auth_backend="ws_lambda.users.backends.DynamoDBBackend", **more)
    sent = {"action": "overview", "handler": "overview"}
    return decode_answer(invoke(message_event(sent, "C1=", routeKey="overview")))


@pytest.fixture
def routed(admin_tables: list[str], settings: Any) -> None:
    """The additional route of the gateway, by setting."""
    settings.WS_LAMBDA = {"ROUTE_PATHS": {"overview": "/ws_lambda/overview"}}


def test_the_websocket_answers_staff(routed: None) -> None:
    person("root", is_superuser=True)
    status, said = ask("root")
    assert (status, said["type"], said["connections"]) == (200, "overview", 1)


@pytest.mark.parametrize(
    "who",
    [
        {"is_staff": False, "is_superuser": True},
        {"permission_names": ["ws_lambda.view_apigateway"]},
    ],
)
def test_the_websocket_refuses_everybody_else(routed: None, who: dict[str, Any]) -> None:
    person("someone", **who)
    status, said = ask("someone")
    assert status == 403
    assert "connections" not in said


def test_the_hour_adds_up_what_processes_counted(admin_tables: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1_764_000_000.0
    monkeypatch.setattr(clock, "now", lambda: moment)
    for _ in range(3):
        stats.count("messages")
    stats.flush()
    moment += 60
    stats.count("refusals")
    stats.count("messages")
    stats.flush()
    hour = stats.last_hour()
    assert len(hour) == 60
    assert [(row["messages"], row["refusals"]) for row in hour[-2:]] == [(3, 0), (1, 1)]
    moment += 59 * 60
    assert sum(row["messages"] for row in stats.last_hour()) == 1


def test_counting_writes_at_most_once_in_ten_seconds(admin_tables: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1_764_000_000.0
    monkeypatch.setattr(clock, "now", lambda: moment)
    admin_tables.clear()
    for _ in range(500):
        stats.count("messages")
    assert admin_tables == []
    moment += stats.FLUSH_SECONDS
    stats.count("messages")
    assert admin_tables == ["UpdateItem"]
    assert sum(row["messages"] for row in stats.last_hour()) == 500


def test_a_clock_that_is_set_back_does_not_stop_the_writing(
    admin_tables: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 1_764_000_000.0
    monkeypatch.setattr(clock, "now", lambda: moment)
    stats.count("messages")
    moment -= 3600
    admin_tables.clear()
    stats.count("messages")
    assert admin_tables == ["UpdateItem"]


@pytest.mark.usefixtures("still")
def test_connects_messages_and_refusals_are_counted_without_a_request(ws_requests: list[str]) -> None:
    stats.forget()
    invoke(connect_event(origin="https://evil.example"))
    refused = invoke(message_event({"handler": "chat"}, "unknown"))
    assert decode_answer(refused)[1]["message"] == "Invalid connection ID"
    assert not any(row["refusals"] for row in stats.last_hour()), "it is not written yet"
    ws_requests.clear()
    stats.flush()
    assert ws_requests == ["UpdateItem"]
    [row] = [row for row in stats.last_hour() if row["refusals"]]
    assert (row["connects"], row["refusals"]) == (0, 2)
    stats.forget()
