"""Reading who is in a channel, over the wire and through botocore."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests import dynamodb_server, engines
from tests.far_side import FarSide
from ws_lambda import aws, deadlines, delivery
from ws_lambda.delivery import Recipient, key_ranges, reading, roster
from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.exceptions import DeliveryError
from ws_lambda.models import ChannelMembership, WebSocketSession
from ws_lambda.tables import shared_connection
from ws_lambda.testing import moto_tables


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with dynamodb_server.serving() as url:
        yield url


@pytest.fixture
def tables(endpoint: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Any]:
    """The two tables that a roster is read from, empty; and a client of them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    settings.WS_LAMBDA = {"TABLE_PREFIX": "roster_"}
    aws.forget()
    shared_connection.forget_connection()
    moto_tables.create((ChannelMembership, WebSocketSession))  # the server is in this process
    yield aws.client("dynamodb")
    for name in ("roster_memberships", "roster_sessions"):
        del moto_tables.in_moto()[name]
    shared_connection.forget_connection()


def _join(count: int, channel: str = "general") -> set[Recipient]:
    people = [Recipient(f"BFH{number * 7919 % 100_000:05}x=", "http://far/p", number) for number in range(count)]
    engines.put_many(
        "roster_memberships",
        [
            {
                "channel": {"S": channel},
                "connection_id": {"S": one.connection_id},
                "endpoint_url": {"S": one.endpoint_url},
                "connected_at": {"N": str(one.connected_at)},
            }
            for one in people
        ],
    )
    return set(people)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 200])
def test_members_are_read_to_the_last(tables: Any, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(reading, "PAGE", 10)
    people = _join(count)

    found = list(roster.everyone_in([KeyRange("channel", "general")], first=10))

    read = [one for one in found if one is not None]
    assert len(read) == count and set(read) == people


def test_nothing_is_listening_after_it_is_left(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 10)
    _join(200)
    source = roster.settled(roster.everyone_in([KeyRange("channel", "general")], first=10))

    for _ in range(15):
        next(source)
    source.close()

    assert not [thread for thread in threading.enumerate() if thread.name == "ws-roster"]


def test_a_spread_channel_is_read_from_all_its_partitions(tables: Any, settings: Any) -> None:
    settings.WS_LAMBDA = {"TABLE_PREFIX": "roster_", "CHANNEL_SHARDS": {"big": 3}}
    people = set()
    for shard in range(3):
        people |= _join(5 * (shard + 1), f"big#{shard}")

    assert set(roster.members("big")) == people


def test_everyone(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 10)
    people = [Recipient(f"c{number}=", "http://far/p", 1_000 + number // 3) for number in range(90)]
    engines.put_many(
        "roster_sessions",
        [
            {
                "connection_id": {"S": one.connection_id},
                "endpoint_url": {"S": one.endpoint_url},
                "connected_at": {"N": str(one.connected_at)},
                "live_shard": {"S": str(number % 4)},
            }
            for number, one in enumerate(people)
        ],
    )
    engines.put_many("roster_sessions", [{"connection_id": {"S": "closed="}, "connected_at": {"N": "1"}}])

    found = list(roster.everyone())

    assert len(found) == 90 and set(found) == set(people)


def test_a_part_resumes_behind_its_last(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 7)
    people = sorted(_join(60))
    whole = KeyRange("channel", "general", upto=people[49].connection_id)

    first = [one for one in roster.in_order(whole) if one]
    rest = [one for one in roster.in_order(whole.resumed(people[19])) if one]

    assert first == people[:50]
    assert rest == people[20:50]


def test_the_resumed_key_need_not_exist(tables: Any) -> None:
    people = sorted(_join(30))
    gone = people[10]
    key = {"channel": {"S": "general"}, "connection_id": {"S": gone.connection_id}}
    tables.delete_item(TableName="roster_memberships", Key=key)

    rest = [one for one in roster.in_order(KeyRange("channel", "general").resumed(gone)) if one]

    assert rest == people[11:]


@pytest.mark.parametrize("pieces", [1, 2, 4, 16])
def test_pieces_have_everyone_once(tables: Any, pieces: int) -> None:
    people = _join(120)
    parts = roster.divided(KeyRange("channel", "general"), pieces, first=min(people).connection_id)

    sizes = [[one for one in roster.in_order(part) if one] for part in parts]

    together = [one for size in sizes for one in size]
    assert len(parts) == pieces
    assert len(together) == 120 and set(together) == people
    assert max(map(len, sizes)) < 3 * 120 / pieces


def test_a_missing_table_is_an_error(endpoint: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    settings.WS_LAMBDA = {"TABLE_PREFIX": "nowhere_"}
    aws.forget()

    with pytest.raises(DeliveryError, match="ResourceNotFoundException"):
        list(roster.members("general"))


@pytest.fixture
def throttled(far: FarSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DynamoDB that has no time for anybody."""
    far.behave = lambda _id, _before: 503
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", far.endpoint_url)
    aws.forget()
    aws.client("dynamodb")  # making it takes longer than the deadlines below


@pytest.mark.parametrize("queue_url", ["", "https://sqs.eu-west-1.amazonaws.com/0/q"])
def test_a_roster_that_the_deadline_cuts_short_is_no_empty_one(throttled: None, settings: Any, queue_url: str) -> None:
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": queue_url}

    with delivery.deadline(0.2), pytest.raises(DeliveryError, match="deadline"):
        delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None)


def test_nor_is_a_part_of_one(throttled: None) -> None:
    with delivery.deadline(0.2), pytest.raises(DeliveryError, match="deadline"):
        list(roster.in_order(KeyRange("channel", "general")))


def test_a_page_that_hangs_is_not_waited_for_beyond_the_deadline(
    throttled: None, far: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TIMEOUT", 60.0)
    far.behave = lambda _id, _before: "hang"
    began = time.monotonic()

    with delivery.deadline(3), pytest.raises(DeliveryError):
        delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None)

    assert time.monotonic() - began < reading.TIMEOUT
    assert far.requests


def test_nor_is_a_pause_between_two_tries(throttled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ws_lambda.retrying.random.uniform", lambda _least, _most: 60.0)
    part = KeyRange("channel", "general")
    for read in (lambda: delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None),
                 lambda: delivery.broadcast(roster.in_order(part), b"x", on_gone=lambda _gone: None)):  # fmt: skip
        began = time.monotonic()
        with delivery.deadline(0.3), suppress(DeliveryError):
            assert read().unread
        assert time.monotonic() - began < 20


def test_a_deadline_ends_the_reading_loudly(tables: Any, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A roster cut short must never look like a small one: those behind the cut would be forgotten."""
    monkeypatch.setattr(reading, "PAGE", 10)
    _join(200)
    source = roster.in_order(KeyRange("channel", "general"))
    with delivery.deadline(3):
        begun = [next(source) for _ in range(5)]
        ends_at = deadlines.ends_at()
        with pytest.raises(DeliveryError, match="deadline"):
            for _ in source:
                time.sleep(max(0.0, ends_at - time.monotonic()))
    assert begun

    settings.WS_LAMBDA = {"TABLE_PREFIX": "roster_", "FANOUT_QUEUE_URL": "http://127.0.0.1:1/queue"}
    with delivery.deadline(0):
        with pytest.raises(DeliveryError, match="deadline"):
            next(roster.members("general"))
        with pytest.raises(DeliveryError, match="deadline"):
            delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None)


def test_with_a_transport_installed_botocore_reads(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    people = _join(25)
    asked: list[delivery.Request] = []

    class Everything200:
        def exchange(self, request: delivery.Request) -> delivery.Response:
            asked.append(request)
            return delivery.Response(200)

    monkeypatch.setattr(reading, "PAGE", 10)
    with delivery.using_transport(Everything200()):
        report = delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None)

    assert report.sent == 25
    assert {request.context.recipient for request in asked} == people


def test_cuts_are_even_between_ids_that_share_a_prefix() -> None:
    marks = [upto for _, upto in key_ranges.cut("BFHPaAAA", "BFHPzzzz", 5)]

    assert marks == sorted(marks) and len(marks) == 5
    assert all("BFHPa" <= mark <= "BFHPzzzz" for mark in marks)


def test_a_table_that_is_missing_is_named_with_what_to_do(tables: Any, settings: Any) -> None:
    settings.WS_LAMBDA = {"TABLE_PREFIX": "elsewhere_"}
    with pytest.raises(DeliveryError, match="ws_tables create"):
        list(roster.everyone_in(roster.parts_of(delivery.ChannelMembers("general")), first=10))
