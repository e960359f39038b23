"""`manage.py ws_send`."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from django.core.management import CommandError, call_command

from ws_lambda import clock, delivery
from ws_lambda.delivery import identity
from ws_lambda.management.commands import ws_send
from ws_lambda.models import ChannelMembership, WebSocketSession

ENDPOINT = "https://abc123.execute-api.eu-west-1.amazonaws.com/production"


class Gateway:
    """Answers for `@connections` without a network."""

    def __init__(self) -> None:
        self.got: dict[str, bytes] = {}
        self.statuses: dict[str, int] = {}

    def exchange(self, request: delivery.Request) -> delivery.Response:
        connection_id = request.context.recipient.connection_id
        status = self.statuses.get(connection_id, 200)
        if status == 200:
            self.got[connection_id] = request.body
        return delivery.Response(status)


@pytest.fixture
def gateway(ws_tables: list[str]) -> Iterator[Gateway]:
    """A gateway with three connections: two of user 7, in general; one of user 8, in another channel."""
    for connection_id, channel, user in (("c1=", "general", "7"), ("c2=", "general", "7"), ("c3=", "other", "8")):
        now = clock.utcnow() - timedelta(seconds=delivery.YOUNG_SECONDS)
        WebSocketSession(
            connection_id,
            api_id="abc123",
            endpoint_url=ENDPOINT,
            channel_name=channel,
            channels={channel},
            user_id=user,
            live_shard="0",
            connected_at=now,
            last_seen_at=now,
            expires_at=now,
        ).save()
        ChannelMembership(
            channel,
            connection_id,
            endpoint_url=ENDPOINT,
            api_id="abc123",
            connected_at=now,
            joined_at=now,
            expires_at=now,
        ).save()
    far = Gateway()
    with delivery.using_transport(far):
        yield far


def run(*arguments: str, tty: bool = False) -> tuple[str, str]:
    """What the command wrote, to standard output and to standard error."""
    out, errors = io.StringIO(), io.StringIO()
    out.isatty = lambda: tty  # type: ignore[method-assign]
    try:
        call_command("ws_send", *arguments, stdout=out, stderr=errors)
    finally:
        run.errors = errors.getvalue()  # type: ignore[attr-defined]
    return out.getvalue(), errors.getvalue()


@pytest.mark.parametrize(
    ("whom", "reached"),
    [
        (("--channel", "general"), {"c1=", "c2="}),
        (("--user", "8"), {"c3="}),
        (("--connection", "c2="), {"c2="}),
        (("--all",), {"c1=", "c2=", "c3="}),
        (("--channel", "empty"), set()),
    ],
)
def test_it_reaches_those_named(gateway: Gateway, whom: tuple[str, ...], reached: set[str]) -> None:
    out, _ = run(*whom, '{"type": "system"}')

    assert gateway.got == dict.fromkeys(reached, b'{"type": "system"}')
    assert f"sent     {len(reached)}" in out


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)], ids=["sent", "dry run"])
@pytest.mark.parametrize(
    ("whom", "said"),
    [
        (("--channel", "empty"), "No open connection in channel 'empty'."),
        (("--user", "red"), "No open connection of user 'red'. --user takes the primary key."),
        (("--connection", "c4="), "No open connection 'c4='."),
        (("--all",), "No open connection."),
    ],
)
def test_if_nobody_is_addressed_it_says_so(
    gateway: Gateway, whom: tuple[str, ...], said: str, dry_run: tuple[str, ...]
) -> None:
    assert "No open connection" not in run("--connection", "c1=", "hello")[1]
    for session in WebSocketSession.objects.filter(connected=True):
        session.update(actions=[WebSocketSession.connected.set(False), WebSocketSession.live_shard.remove()])

    assert run(*whom, *dry_run, "hello")[1] == f"{said}\n"


def test_a_dry_run_sends_nothing(gateway: Gateway) -> None:
    out, _ = run("--channel", "general", "--dry-run", "hello")

    assert out == "Would send 5 bytes to 2 connections, from this process. Nothing was sent.\n"
    assert not gateway.got


def test_a_dry_run_tells_of_the_queue(gateway: Gateway, settings: Any) -> None:
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": "http://127.0.0.1:1/queue", "FANOUT_INLINE_MAX": 1}

    assert "through the fan-out queue" in run("--all", "--dry-run", "hello")[0]


def test_failures_are_named_and_fail_the_command(gateway: Gateway) -> None:
    gateway.statuses = {"c1=": 403}

    with pytest.raises(SystemExit) as ended:
        run("--channel", "general", "hello")

    assert ended.value.code == 1
    assert "c1=: status 403" in run.errors  # type: ignore[attr-defined]
    assert gateway.got == {"c2=": b"hello"}


def test_a_gone_connection_is_closed(gateway: Gateway) -> None:
    gateway.statuses = {"c1=": 410}

    out, _ = run("--channel", "general", "hello")

    assert "gone     1" in out
    assert WebSocketSession.get("c1=").connected is False
    assert [row.connection_id for row in ChannelMembership.query("general")] == ["c2="]


def test_a_terminal_sees_a_bar(gateway: Gateway) -> None:
    out, _ = run("--all", "hello", tty=True)

    assert f"\r[{'#' * ws_send.BAR}] 3 of 3" in out


def test_the_message_can_come_from_standard_input(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe"))

    run("--connection", "c1=", "-")

    assert gateway.got == {"c1=": b"from a pipe"}


def test_without_credentials_it_says_so(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> identity.Identity:
        raise NoCredentialsError()

    monkeypatch.setattr(identity, "current", none)

    with pytest.raises(CommandError, match="locate credentials"):
        run("--channel", "general", "hello")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--all", "x" * 131_073), "131,073 bytes"),
        (("--channel", "no channel", "x"), "not a valid channel name"),
        (("x",), "one of the arguments"),
        (("--all", "--channel", "a", "x"), "not allowed with"),
    ],
)
def test_unsendable_data_is_refused(gateway: Gateway, arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        run(*arguments)

    assert not gateway.got
