"""Readers and writers of a channel at the same time: no message appears among those that were read."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pynamodb.exceptions import PutError

from ws_lambda import clock, delivery
from ws_lambda.exceptions import DeliveryError
from ws_lambda.local.dynamodb_faults import DynamoDBFaults
from ws_lambda.models import ChannelMessage, history, messages
from ws_lambda.models.numbering import take_number
from ws_lambda.tables.shared_connection import SharedConnection

WRITERS = 30


@pytest.fixture(autouse=True)
def kept(settings):
    settings.WS_LAMBDA = {"HISTORY": {"*": (500, 60)}}


def append(n):
    return ChannelMessage.append("general", {"n": n}).sequence


def take():
    now = clock.utcnow()
    return take_number("general", now, now + timedelta(days=1))


def store(number, n):
    now = clock.utcnow()
    message = ChannelMessage("general", number, payload={"n": n}, sent_at=now, expires_at=now + timedelta(days=1))
    return history.store(message)


def said(read):
    return [message.payload["n"] for message in read]


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(history, "PATIENCE", 0.1)


def test_a_reader_waits_for_a_writer_who_has_a_number(ws_tables):
    seen = append(0)
    slow = take()
    append(2)
    threading.Timer(0.2, store, [slow, 1]).start()
    resume = ChannelMessage.since("general", seen)
    assert (said(resume.messages), resume.recovered) == ([1, 2], True)
    assert said(ChannelMessage.recent("general")) == [0, 1, 2]


def test_it_waits_for_nobody_who_comes_after_what_it_has_seen(ws_tables):
    seen = append(0)
    append(1)
    take()
    started = time.monotonic()
    resume = ChannelMessage.since("general", seen)
    assert (said(resume.messages), resume.recovered) == ([1], True)
    assert time.monotonic() - started < 1


def test_a_number_whose_writer_has_died_is_buried_by_a_reader_who_says_so(ws_tables, impatient):
    seen = append(0)
    take()
    append(2)
    first, second = ChannelMessage.since("general", seen), ChannelMessage.since("general", seen)
    assert (said(first.messages), first.recovered) == ([2], False)
    assert (said(second.messages), second.recovered) == ([2], True)
    assert said(ChannelMessage.recent("general")) == [0, 2]


def test_a_writer_whose_number_was_buried_takes_another(ws_tables, impatient, monkeypatch):
    seen = append(0)
    buried = take()
    last = append(2)
    assert said(ChannelMessage.recent("general")) == [0, 2]
    numbers = iter([buried])
    monkeypatch.setattr(messages, "take_number", lambda *args: next(numbers, None) or take_number(*args))
    assert append(1) > last
    resume = ChannelMessage.since("general", seen)
    assert (said(resume.messages), resume.recovered) == ([2, 1], True)


def test_racing_readers_and_writers_agree(ws_tables):
    """Whatever readers saw last, nothing comes up later among the numbers before it."""
    seen = [append(-1)]
    heard = [[], [], []]

    def write(writer):
        for n in range(10):
            append((writer, n))

    def read(into):
        last = seen[0]
        while len(into) < 40:
            resume = ChannelMessage.since("general", last)
            assert resume.recovered
            for message in resume.messages:
                assert message.sequence == last + 1
                last = message.sequence
                into.append(tuple(message.payload["n"]))

    with ThreadPoolExecutor(7) as pool:
        tasks = [pool.submit(write, writer) for writer in range(4)] + [pool.submit(read, into) for into in heard]
        for task in tasks:
            task.result(timeout=60)
    assert heard[0] == heard[1] == heard[2]
    assert sorted(heard[0]) == [(writer, n) for writer in range(4) for n in range(10)]


def test_reading_is_one_request(ws_requests):
    seen = append(0)
    append(1)
    ws_requests.clear()
    assert ChannelMessage.since("general", seen).recovered
    assert said(ChannelMessage.recent("general")) == [0, 1]
    assert ws_requests == ["Query", "Query"]


def test_a_channel_that_counts_anew_is_not_waited_for(ws_tables, monkeypatch):
    seen = append(0)
    later = clock.now() + 3600
    ChannelMessage("general", 0).delete()
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("nobody is on the way"))
    append(1)
    assert ChannelMessage.since("general", seen).recovered is False


@pytest.mark.parametrize("number", [-5, 0, 10**40])
def test_numbers_that_no_message_has(ws_tables, number):
    append(0)
    assert ChannelMessage.since("general", number).recovered is False


def test_an_append_obeys_the_deadline(ws_tables):
    with delivery.deadline(0), pytest.raises(DeliveryError, match="The deadline has passed"):
        append(0)
    assert ChannelMessage.recent("general") == []


def test_a_reader_obeys_the_deadline(ws_tables):
    seen = append(0)
    take()
    append(2)
    started = time.monotonic()
    with delivery.deadline(0.1):
        resume = ChannelMessage.since("general", seen)
    assert (said(resume.messages), resume.recovered) == ([2], False)
    assert time.monotonic() - started < history.PATIENCE


def test_a_hot_channel_does_not_collapse(ws_requests, monkeypatch):
    """At most three requests a message with many writers, 10 ms away; none is lost, and no number is left out."""
    dispatch = SharedConnection.dispatch

    def far(self, operation, request):
        time.sleep(0.01)
        return dispatch(self, operation, request)

    monkeypatch.setattr(SharedConnection, "dispatch", far)
    with ThreadPoolExecutor(WRITERS) as pool:
        numbers = sorted(pool.map(append, range(WRITERS * 3)))
    assert len(ws_requests) <= 3 * len(numbers)
    assert numbers == list(range(numbers[0], numbers[0] + WRITERS * 3))
    assert sorted(said(ChannelMessage.recent("general"))) == list(range(WRITERS * 3))


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_lost_answers_store_no_message_twice(ws_dynamodb_faults, impatient, operation):
    ws_dynamodb_faults.faults = DynamoDBFaults(cut=0.5, operations=frozenset({operation}))
    numbers, lost = {}, []
    for n in range(25):
        try:
            numbers[n] = append(n)
        except Exception as error:
            assert "Connection was closed" in str(error), error
            lost.append(n)
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert ws_dynamodb_faults.seen[operation, "cut"] > 10
    stored = {message.payload["n"]: message.sequence for message in ChannelMessage.recent("general")}
    assert len(stored) == len(ChannelMessage.recent("general"))
    assert numbers.items() <= stored.items()
    assert stored.keys() - numbers.keys() <= set(lost)
    if operation == "UpdateItem":
        taken = sorted(numbers.values())
        assert taken[-1] - taken[0] + 1 <= len(taken) + len(lost)  # a number was lost only with its message


def test_an_error_of_the_network_is_told_as_such(ws_dynamodb_faults):
    ws_dynamodb_faults.faults = DynamoDBFaults(cut_before=1, operations=frozenset({"PutItem"}))
    with pytest.raises(PutError, match="Connection was closed"):
        append(0)
