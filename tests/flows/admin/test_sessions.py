"""Sessions in the admin: lists of bounded cost, filters, messages and disconnects."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from django.test import Client
from django.utils import timezone

from tests import engines
from tests.far_side import FarSide
from tests.flows.admin.conftest import logged_in, person, said, session
from ws_lambda.models import ChannelMembership, WebSocketSession

PAGE = "/admin/ws_lambda/websocketsession/"


def listed(client: Client, query: str = "") -> list[str]:
    """The connection ids on a page, in its order."""
    return [row.connection_id for row in client.get(PAGE + query).context["cl"].result_list]


def all_pages(client: Client, query: str = "") -> list[list[str]]:
    """Every page, by its link to the next."""
    pages = []
    while True:
        answer = client.get(PAGE + query)
        pages.append([row.connection_id for row in answer.context["cl"].result_list])
        query = answer.context["cl"].next_page
        if not query:
            return pages
        assert query.replace("&", "&amp;") in answer.content.decode()
        assert len(pages) < 100


def every(client: Client, query: str = "") -> list[str]:
    """The connection ids of all pages."""
    return [name for page in all_pages(client, query) for name in page]


@pytest.fixture
def crowd(root: Client) -> Client:
    """120 connections of two users in three channels, each a second older than the one before; 10 have closed."""
    now = timezone.now()
    roster = []
    for n in range(120):
        connected = n % 12 != 0
        channel = f"room_{n % 3}"
        session(
            f"C{n:03}=",
            live_shard=str(n % 4) if connected else None,
            connected=connected,
            connected_at=now - timedelta(seconds=n),
            user_id=("ann", "bob")[n % 2],
            channel_name=channel,
            channels={channel} if connected else None,
        )
        if connected:
            roster.append(
                ChannelMembership(
                    channel,
                    f"C{n:03}=",
                    endpoint_url="http://127.0.0.1:9/dev",
                    api_id="abc",
                    connected_at=now,
                    joined_at=now,
                    expires_at=now + timedelta(hours=3),
                )
            )
    engines.put_many(ChannelMembership.Meta.table_name, [row.serialize() for row in roster])
    return root


OPEN = [f"C{n:03}=" for n in range(120) if n % 12]


def test_the_newest_open_connections_come_first_and_none_is_lost(crowd: Client) -> None:
    pages = all_pages(crowd)
    assert [len(page) for page in pages] == [50, 50, 10]
    assert [name for page in pages for name in page] == OPEN


def test_a_channel_is_read_from_its_roster(crowd: Client) -> None:
    wanted = [name for name in OPEN if int(name[1:4]) % 3 == 1]
    assert sorted(every(crowd, "?channel=room_1")) == wanted
    assert listed(crowd, "?channel=nowhere") == []


def test_a_channel_that_is_spread_over_partitions_is_read_whole(crowd: Client, settings: Any) -> None:
    settings.WS_LAMBDA = {"CHANNEL_SHARDS": {"big": 3}}
    now = timezone.now()
    for n in range(6):
        row = ChannelMembership(f"big#{n % 3}", f"C{n + 1:03}=", endpoint_url="x", api_id="abc", connected_at=now)
        row.joined_at, row.expires_at = now, now + timedelta(hours=3)
        row.save()
    assert sorted(every(crowd, "?channel=big")) == OPEN[:6]


def test_a_user_is_read_from_his_index(crowd: Client) -> None:
    assert every(crowd, "?user=bob") == [name for name in OPEN if int(name[1:4]) % 2]
    closed = [f"C{n:03}=" for n in range(0, 120, 12)]
    assert listed(crowd, "?user=ann&connected=no") == closed
    assert len(every(crowd, "?user=ann&connected=all")) == 60


def test_a_channel_and_a_user_are_both_asked_for(crowd: Client) -> None:
    both = [name for name in OPEN if int(name[1:4]) % 3 == 1 and int(name[1:4]) % 2]
    assert sorted(every(crowd, "?channel=room_1&user=bob")) == both


def test_closed_connections_are_found_where_a_scan_comes_by(crowd: Client) -> None:
    assert sorted(every(crowd, "?connected=no")) == [f"C{n:03}=" for n in range(0, 120, 12)]
    assert len(every(crowd, "?connected=all")) == 120


def test_a_connection_is_found_by_its_id(crowd: Client) -> None:
    assert listed(crowd, "?q=C012=") == ["C012="]
    assert listed(crowd, "?q=C012") == []


def test_another_filter_begins_at_the_first_page(crowd: Client) -> None:
    first = crowd.get(PAGE)
    second = crowd.get(PAGE + first.context["cl"].next_page)
    assert "First page" in second.content.decode()
    for choice in second.context["cl"].filter_specs[0].choices(second.context["cl"]):
        assert "after=" not in choice["query_string"]


@pytest.mark.parametrize("cursor", ["forged", "", "a.b.c"])
def test_a_forged_cursor_is_the_first_page(crowd: Client, cursor: str) -> None:
    assert listed(crowd, f"?after={cursor}") == OPEN[:50]


def test_a_cursor_of_another_question_is_the_first_page(crowd: Client) -> None:
    after = crowd.get(PAGE).context["cl"].next_page.partition("after=")[2]
    assert sorted(listed(crowd, f"?channel=room_1&after={after}")) == [name for name in OPEN if int(name[1:4]) % 3 == 1]


@pytest.mark.parametrize("question", ["q", "channel", "user"])
def test_an_impossible_key_leads_back_to_the_list(crowd: Client, question: str) -> None:
    assert crowd.get(f"{PAGE}?{question}={'x' * 3000}").url == f"{PAGE}?e=1"
    answer = crowd.get(f"{PAGE}{'x' * 3000}/change/", follow=True)
    assert "doesn’t exist" in said(answer)[0]


def test_a_session_is_shown_whole_and_cannot_be_changed(crowd: Client) -> None:
    shown = crowd.get(PAGE + "C001_3D/change/").content.decode()
    assert "room_1" in shown
    assert 'name="_save"' not in shown
    assert crowd.post(PAGE + "C001_3D/change/", {"channel_name": "x"}).status_code == 403
    assert crowd.get(PAGE + "add/").status_code == 403
    assert crowd.post(PAGE + "C001_3D/delete/", {"post": "yes"}).status_code == 403


THOUSANDS = 3_000


@pytest.fixture
def stadium(root: Client, admin_tables: list[str]) -> tuple[Client, list[str]]:
    """3,000 sessions, 2,700 of them open; and the list of requests from here on."""
    now = timezone.now()
    item = {
        "api_id": {"S": "abc"},
        "channel_name": {"S": "arena"},
        "endpoint_url": {"S": "http://127.0.0.1:9/dev"},
        "user_id": {"S": "ann"},
        "request_count": {"N": "0"},
        "last_seen_at": {"N": "1700000000000"},
        "expires_at": {"N": str(int(now.timestamp()) + 9000)},
    }
    rows, members = [], []
    for n in range(THOUSANDS):
        connected = n % 10 != 0
        key = {"connection_id": {"S": f"C{n:05}="}, "connected_at": {"N": str(1_700_000_000_000 + n)}}
        more = {"live_shard": {"S": str(n % 4)}} if connected else {}
        rows.append({**item, **more, **key, "connected": {"BOOL": connected}})
        if connected:
            members.append({"channel": {"S": "arena"}, "connection_id": key["connection_id"]})
    engines.put_many(WebSocketSession.Meta.table_name, rows)
    engines.put_many(ChannelMembership.Meta.table_name, members)
    admin_tables.clear()
    return root, admin_tables


BOUNDS = {
    "": {"Query": 4, "BatchGetItem": 1},
    "?channel=arena": {"Query": 1, "BatchGetItem": 1},
    "?user=ann": {"Query": 5, "BatchGetItem": 1},
    "?connected=no": {"Scan": 5},
    "?connected=all": {"Scan": 1},
    "?q=C00001=": {"BatchGetItem": 1},
}
"""What a page may cost at most, beside Django's session and the user, one read each."""


def test_the_first_page_of_thousands_costs_a_bounded_number_of_requests(
    stadium: tuple[Client, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, calls = stadium
    read: list[int] = []
    send = BaseClient._make_api_call

    def measured(self: Any, operation: str, arguments: Any) -> Any:
        answer = send(self, operation, arguments)
        if arguments.get("TableName") in (WebSocketSession.Meta.table_name, ChannelMembership.Meta.table_name):
            read.append(answer.get("ScannedCount", 0))
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", measured)
    for query, bound in BOUNDS.items():
        calls.clear()
        read.clear()
        answer = client.get(PAGE + query)
        assert 0 < len(answer.context["cl"].result_list) < 100
        made = Counter(calls)
        assert made.pop("GetItem") == 2
        assert all(made[operation] <= bound.get(operation, 0) for operation in made), (query, made)
        assert sum(read) <= 5 * 50, query


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    """`@connections` on loopback."""
    with FarSide().serving() as side:
        yield side


def test_a_message_is_sent_to_those_chosen_and_the_gone_are_closed(root: Client, far_side: FarSide) -> None:
    a_minute_ago = timezone.now() - timedelta(minutes=1)  # a younger one may only be opening
    for name in ("C1=", "C2=", "C3="):
        session(name, endpoint_url=far_side.endpoint_url, connected_at=a_minute_ago)
    far_side.behave = lambda connection_id, _before: 410 if connection_id == "C2=" else 200
    chosen = {"action": "send_message", "_selected_action": ["C1=", "C2="]}
    answer = root.post(PAGE, {**chosen, "message": '{"type": "notice", "text": "Hello"}'}, follow=True)
    assert said(answer)[0].startswith("Message: 1 sent, 1 gone, 0 failed")
    assert [json.loads(body) for body in far_side.bodies["C1="]] == [{"type": "notice", "text": "Hello"}]
    assert "C3=" not in far_side.asked
    assert [WebSocketSession.get(name).connected for name in ("C1=", "C2=", "C3=")] == [True, False, True]
    assert "Sent a message." in root.get(PAGE + "C1_3D/history/").content.decode()


def test_disconnecting_closes_session_and_socket(root: Client, far_side: FarSide) -> None:
    session("C1=", endpoint_url=far_side.endpoint_url)
    session("C2=", endpoint_url=far_side.endpoint_url, connected=False)
    far_side.behave = lambda _id, _before: 204
    answer = root.post(PAGE, {"action": "disconnect", "_selected_action": ["C1=", "C2="], "index": "0"}, follow=True)
    assert said(answer) == ["Disconnected: 1. Already gone: 0."]
    assert [(method, path.rpartition("/")[2]) for method, path, _h, _b in far_side.requests] == [("DELETE", "C1%3D")]
    assert not WebSocketSession.get("C1=").connected
    assert listed(root) == []


def test_a_failure_is_told_for_each_connection(root: Client, far_side: FarSide) -> None:
    session("C1=", endpoint_url=far_side.endpoint_url)
    far_side.behave = lambda _id, _before: 403
    chosen = {"action": "send_message", "_selected_action": ["C1="]}
    answer = root.post(PAGE, {**chosen, "message": "1"}, follow=True)
    assert "1 failed" in said(answer)[0]
    assert said(answer)[1].startswith("C1=: ")
    assert WebSocketSession.get("C1=").connected
    assert "Sent a message." not in root.get(PAGE + "C1_3D/history/").content.decode()


def test_a_session_without_an_endpoint_is_told(root: Client) -> None:
    session("C1=", endpoint_url="")
    chosen = {"action": "send_message", "_selected_action": ["C1="]}
    answer = root.post(PAGE, {**chosen, "message": "1"}, follow=True)
    assert "endpoint" in said(answer)[0]


def test_a_user_who_may_only_view_is_offered_no_action(admin_tables: list[str]) -> None:
    person("clerk", permission_names=["ws_lambda.view_websocketsession"])
    session("C1=")
    clerk = logged_in("clerk")
    assert "C1=" in clerk.get(PAGE).content.decode()
    assert 'name="action"' not in clerk.get(PAGE).content.decode()
    clerk.post(PAGE, {"action": "disconnect", "_selected_action": ["C1="], "index": "0"})
    assert WebSocketSession.get("C1=").connected


def test_invalid_json_is_asked_for_again(root: Client) -> None:
    session("C1=")
    chosen = {"action": "send_message", "_selected_action": ["C1="]}
    asked = root.post(PAGE, {**chosen, "index": "0"})
    assert "To 1 connection:" in asked.content.decode()
    assert "This is not valid JSON" in root.post(PAGE, {**chosen, "message": "{"}).content.decode()
    assert "at most 131,072 bytes" in root.post(PAGE, {**chosen, "message": f'"{"x" * 131_072}"'}).content.decode()
    assert said(root.get(PAGE)) == []
