"""Counters and tokens in the admin: viewed page by page, without a secret on any page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ws_lambda.models import RateLimit, WebSocketToken, cursors
from ws_lambda.models.login_marks import record_ended_login
from ws_lambda.models.rate_limits import hit
from ws_lambda.tables.rate_limits import OpenConnections
from ws_lambda.tables.tokens import digest


@pytest.mark.usefixtures("still")
def test_counters_are_listed_and_found_by_scope(root: Client) -> None:
    for _ in range(3):
        hit("refused#203.0.113.9")
    hit("connect#7")
    cursors.write("prune", {"key": "x"})
    page = root.get("/admin/ws_lambda/ratelimit/")
    assert {(row.scope, row.hits) for row in page.context["cl"].result_list} == {
        ("refused#203.0.113.9", 3),
        ("connect#7", 1),
    }
    assert "203.0.113.9" in page.content.decode()
    found = root.get("/admin/ws_lambda/ratelimit/?scope=connect%237").context["cl"].result_list
    assert [row.scope for row in found] == ["connect#7"]
    assert root.get(f"/admin/ws_lambda/ratelimit/{found[0].pk.replace('#', '_23').replace(':', '_3A')}/change/")


def test_other_rows_of_the_table_are_not_listed_as_counters(root: Client) -> None:
    row = OpenConnections.of("7")
    row.update(actions=[OpenConnections.connection_ids.add({"C1="})])
    for query in ("", "?scope=open%237"):
        assert list(root.get(f"/admin/ws_lambda/ratelimit/{query}").context["cl"].result_list) == []


def test_tokens_are_listed_and_never_shown_whole(root: Client) -> None:
    token = WebSocketToken.mint(user_id="ann", auth_backend="b", auth_hash="h", session_key="key", channel="general")
    record_ended_login(digest("other"))
    page = root.get("/admin/ws_lambda/websockettoken/")
    [row] = page.context["cl"].result_list
    assert (row.user_id, row.channel) == ("ann", "general")
    shown = page.content.decode()
    assert digest(token)[:8] in shown
    for secret in (token, digest(token), digest("key")):
        assert secret not in shown
    assert "general" in shown


def test_long_lists_of_counters_turn_pages(root: Client) -> None:
    with RateLimit.batch_write() as batch:
        for n in range(120):
            batch.save(RateLimit(f"s{n}", "2026-11-22T22:17", hits=n, expires_at=timezone.now() + timedelta(1)))
    seen: list[str] = []
    query = ""
    for size in (50, 50, 20):
        changes = root.get(f"/admin/ws_lambda/ratelimit/{query}").context["cl"]
        assert len(changes.result_list) == size
        seen += [row.scope for row in changes.result_list]
        query = changes.next_page
    assert query == ""
    assert len(set(seen)) == 120
