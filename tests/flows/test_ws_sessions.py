"""`manage.py ws_sessions`, as a person and as a program would use it."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.far_side import FarSide
from ws_lambda.models import ChannelMembership, WebSocketSession


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("ws_sessions", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def names(*arguments: str) -> list[str]:
    return sorted(row["connection_id"] for row in json.loads(run("list", "--json", *arguments)))


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    with FarSide(lambda _id, _before: 204).serving() as side:
        yield side


@pytest.fixture
def some(ws_tables: list[str], far_side: FarSide) -> None:
    """C0 to C5: odd ones of ann in `general`, even ones of bob; C4 and C5 have closed."""
    now = timezone.now()
    for n in range(6):
        connected, channel = n < 4, "general" if n % 2 else "support"
        common: dict[str, Any] = {
            "endpoint_url": far_side.endpoint_url,
            "user_id": "ann" if n % 2 else "bob",
            "api_id": "abc" if n else "xyz",
            "connected_at": now,
            "expires_at": now + timedelta(hours=3),
        }
        WebSocketSession(
            f"C{n}=",
            channel_name=channel,
            channels={channel} if connected else None,
            connected=connected,
            live_shard=str(n % 4) if connected else None,
            last_seen_at=now,
            **common,
        ).save()
        if connected:
            ChannelMembership(channel, f"C{n}=", joined_at=now, **common).save()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ["C0=", "C1=", "C2=", "C3="]),
        (("--closed",), ["C4=", "C5="]),
        (("--all",), ["C0=", "C1=", "C2=", "C3=", "C4=", "C5="]),
        (("--channel=general",), ["C1=", "C3="]),
        (("--user=bob",), ["C0=", "C2="]),
        (("--user=bob", "--all"), ["C0=", "C2=", "C4="]),
        (("--gateway=xyz",), ["C0="]),
        (("--connection=C5=",), ["C5="]),
        (("--channel=nowhere",), []),
    ],
)
def test_sessions_are_listed_by_the_given_filters(some: None, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert names(*arguments) == expected


def test_a_table_for_people(some: None) -> None:
    shown = run("list", "--channel=general", "--limit=1")
    assert shown.startswith("connection id  user")
    assert "ann" in shown
    assert "1 shown. There are more: raise --limit to see them." in shown


def test_a_channel_is_disconnected(some: None, far_side: FarSide) -> None:
    assert run("disconnect", "--channel=general", "--yes") == "Disconnected: 2. Already gone: 0.\n"
    assert sorted(path.rpartition("/")[2] for _method, path, _h, _b in far_side.requests) == ["C1%3D", "C3%3D"]
    assert names() == ["C0=", "C2="]


def test_everybody_is_disconnected_only_when_said_so(
    some: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for wrong in ((), ("--everybody", "--user=bob")):
        with pytest.raises(CommandError, match="Select connections with"):
            run("disconnect", "--yes", *wrong)
    for answer, said in (("no\n", "Nobody was disconnected"), ("", "Add --yes to skip the question")):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        with pytest.raises(CommandError, match=said):
            run("disconnect", "--everybody", "--json")
    asked = capfd.readouterr()
    assert "This disconnects everybody: 4 connections. Type yes to confirm:" in asked.err
    assert asked.out == ""
    assert len(names()) == 4
    assert json.loads(run("disconnect", "--everybody", "--yes", "--json")) == {
        "disconnected": 4,
        "gone": 0,
        "failed": 0,
    }
    assert names() == []


def test_failed_disconnects_are_reported(some: None, far_side: FarSide) -> None:
    far_side.behave = lambda _id, _before: 403
    with pytest.raises(CommandError, match="1 connections could not be closed"):
        run("disconnect", "--connection=C1=", "--yes")


def test_tables_that_are_not_there_are_told_in_a_sentence(no_tables: None) -> None:
    with pytest.raises(CommandError, match=r"A table of this project does not exist.*ws_tables create"):
        run("list")
