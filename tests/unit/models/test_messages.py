"""R1–R3: a channel's sequence has no gaps and only grows. docs/contract.md 47."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from botocore.awsrequest import AWSResponse
from pynamodb.exceptions import PutError

from ws_lambda import clock
from ws_lambda.exceptions import InvalidChannel
from ws_lambda.models import ChannelMessage
from ws_lambda.tables.shared_connection import connection

DAY = 86_400

pytestmark = pytest.mark.usefixtures("ws_tables")


@pytest.fixture(autouse=True)
def history(settings):
    settings.WS_LAMBDA = {"HISTORY": {"general": (5, 60), "room-*": (2, 60)}}


def append(count, channel="general"):
    return [ChannelMessage.append(channel, {"n": n}, sender="u").sequence for n in range(count)]


def test_numbers_are_contiguous_and_recent_is_oldest_first():
    numbers = append(7)
    assert numbers == list(range(numbers[0], numbers[0] + 7))
    recent = ChannelMessage.recent("general")
    assert [message.payload["n"] for message in recent] == [2, 3, 4, 5, 6]
    assert {message.sender for message in recent} == {"u"}


def test_a_message_costs_two_requests(ws_requests):
    append(1)
    ws_requests.clear()
    append(1)
    assert ws_requests == ["UpdateItem", "PutItem"]


def test_prefixes_have_their_own_length_and_unlisted_channels_none():
    append(4, "room-1")
    assert len(ChannelMessage.recent("room-1")) == 2
    with pytest.raises(ValueError, match="HISTORY"):
        append(1, "elsewhere")
    assert ChannelMessage.recent("elsewhere") == []


def test_racing_writers_leave_no_gap():
    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(number for taken in pool.map(append, [5] * 4) for number in taken)
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_r1_a_resume_is_gap_free_or_says_so():
    first, *_rest, last = append(9)
    caught_up = ChannelMessage.since("general", last)
    assert (caught_up.messages, caught_up.recovered) == ([], True)
    some = ChannelMessage.since("general", last - 3)
    assert ([message.sequence for message in some.messages], some.recovered) == ([last - 2, last - 1, last], True)
    too_long = ChannelMessage.since("general", first)
    assert (len(too_long.messages), too_long.recovered) == (5, False)
    assert ChannelMessage.since("general", last + 10).recovered is False
    assert ChannelMessage.since("room-9", 5).recovered is False


def at(monkeypatch, seconds):
    """So much later than it is."""
    later = clock.now() + seconds
    monkeypatch.setattr(clock, "now", lambda: later)


def delete(*numbers, channel="general"):
    """What DynamoDB does with messages that have expired, some day and in no order."""
    for message in list(ChannelMessage.query(channel)):
        if not numbers or message.sequence in numbers:
            message.delete()


def test_a_quiet_channel_goes_on_where_it_was(monkeypatch):
    last = append(3)[-1]
    at(monkeypatch, 120)
    assert ChannelMessage.recent("general") == []
    assert ChannelMessage.since("general", last).recovered is True
    assert append(1) == [last + 1]


def test_r3_the_sequence_goes_on_growing_after_everything_expired(monkeypatch):
    last = append(3)[-1]
    at(monkeypatch, 2 * DAY)
    delete()
    assert append(1)[0] > last + 1
    assert ChannelMessage.since("general", last).recovered is False


def test_r3_no_number_comes_twice_where_the_newest_was_deleted_first(monkeypatch):
    *_, before, last = append(3)
    at(monkeypatch, 2 * DAY)
    delete(last)
    assert ChannelMessage.since("general", before).recovered is False
    assert append(1)[0] > last


def test_r1_a_hole_is_no_recovery():
    first, _, hole, *_ = append(5)
    delete(hole)
    assert ChannelMessage.since("general", first).recovered is False
    assert ChannelMessage.since("general", hole).recovered is True


def test_a_shorter_history_is_in_force_at_once(settings, monkeypatch):
    """What was stored under the longer one stays for longer than what comes after it."""
    settings.WS_LAMBDA = {"HISTORY": {"general": (5, 30 * DAY)}}
    append(3)
    settings.WS_LAMBDA = {"HISTORY": {"general": (5, 60)}}
    last = append(1)[0]
    at(monkeypatch, 2 * DAY)
    delete(last)
    assert ChannelMessage.recent("general") == []
    assert append(1)[0] > last


def test_a_write_that_is_throttled_is_not_lost_to_another_writer():
    """It would be tried again and again, as fast as can be."""
    answer = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}
    answers = [(AWSResponse("", 400, {}, None), answer)]
    events, name = connection().client.meta.events, "before-call.dynamodb.PutItem"

    def throttled(**_event):
        return answers.pop() if answers else None

    events.register_first(name, throttled)
    try:
        with pytest.raises(PutError) as failed:
            append(1)
    finally:
        events.unregister(name, throttled)
    assert failed.value.cause_response_code == "ProvisionedThroughputExceededException"
    assert ChannelMessage.recent("general") == []


def test_a_payload_may_have_what_send_message_takes():
    ChannelMessage.append("general", {"on": date(2026, 1, 2), "price": Decimal("1.50"), "id": UUID(int=7)})
    [message] = ChannelMessage.recent("general")
    assert message.payload == {"on": "2026-01-02", "price": "1.50", "id": str(UUID(int=7))}


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), (object(), TypeError)])
def test_a_payload_that_no_browser_would_read_is_not_stored(value, error):
    with pytest.raises(error):
        ChannelMessage.append("general", {"value": value})
    assert ChannelMessage.recent("general") == []


@pytest.mark.parametrize("name", ["", "a room", "x" * 129])
def test_an_invalid_channel_name_keeps_nothing(settings, name):
    settings.WS_LAMBDA = {"HISTORY": {"*": (5, 60)}}
    with pytest.raises(InvalidChannel):
        ChannelMessage.append(name, {})
    assert ChannelMessage.recent("") == ChannelMessage.since("", 0).messages == []
