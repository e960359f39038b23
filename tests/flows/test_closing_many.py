"""Many connections that are gone are closed about fifty in a request, and no session is closed only in part."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.far_side import FarSide
from tests.flows.housekeeping.conftest import open_one
from ws_lambda import delivery
from ws_lambda.delivery import calls as many_calls
from ws_lambda.local.dynamodb_faults import DynamoDBFaults, FaultyDynamoDB
from ws_lambda.models import ChannelMembership, WebSocketSession, stats
from ws_lambda.models.batch_closing import BatchCloser, close_gone
from ws_lambda.models.closing import close_session

COUNT = 120
IDS = [f"G{number:05}=" for number in range(COUNT)]


@pytest.fixture
def in_this_process(ws_tables: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore makes all requests, however many: it reaches a DynamoDB in this process."""
    monkeypatch.setattr(many_calls, "installed", lambda: "a transport, so botocore makes all requests")


def enter(side: FarSide) -> list[delivery.Recipient]:
    """Members of the channel `general`, every third of them in `random`, too."""
    for number, one in enumerate(IDS):
        session = open_one(side, one, age=timedelta(minutes=1))
        if not number % 3:
            ChannelMembership.of(session, "random").save()
            WebSocketSession(one).update([WebSocketSession.channels.add({"random"})])
    return [one.recipient for one in WebSocketSession.batch_get(IDS)]


def open_now() -> set[str]:
    return {one.connection_id for one in WebSocketSession.scan() if one.connected}


def rostered() -> set[str]:
    return {row.connection_id for row in ChannelMembership.scan()}


def test_they_cost_a_request_for_some_fifty(in_this_process: None, asked: list[str], there: FarSide) -> None:
    gone = enter(there)
    asked.clear()

    assert close_gone(gone, channel_name="general") == COUNT

    assert Counter(asked) == {"BatchGetItem": 2, "TransactWriteItems": 4}  # for 280 items
    assert open_now() == rostered() == set()
    one = WebSocketSession.get(IDS[0])
    assert one.disconnected_at
    assert one.live_shard is None


def test_a_session_that_has_changed_is_left_alone_and_delays_no_other(in_this_process: None, there: FarSide) -> None:
    gone = enter(there)
    close_session(IDS[5])
    WebSocketSession(IDS[8]).delete()
    late = IDS[7]
    told = [one._replace(connected_at=one.connected_at - 1) if one.connection_id == late else one for one in gone]

    assert close_gone(told, channel_name="general") == COUNT - 3

    assert open_now() == rostered() == {late}


def test_where_a_transaction_is_refused_each_is_closed_alone(
    ws_dynamodb_faults: FaultyDynamoDB, there: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = enter(there)
    monkeypatch.setattr(stats, "FLUSH_SECONDS", float("inf"))  # the overview's figures are an update as well
    before = ws_dynamodb_faults.seen["UpdateItem", ""]
    monkeypatch.setattr(many_calls, "_RETRY", replace(many_calls._RETRY, attempts=2))
    ws_dynamodb_faults.faults = DynamoDBFaults(error=1.0, operations=frozenset({"TransactWriteItems"}))

    assert close_gone(gone, channel_name="general") == COUNT

    assert open_now() == rostered() == set()
    assert ws_dynamodb_faults.seen["UpdateItem", ""] - before == COUNT


def test_a_session_that_joins_after_being_read_leaves_that_channel_too(
    in_this_process: None, there: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = enter(there)
    read = BatchCloser._read

    def late(self: BatchCloser, recipients: Any, call: delivery.Call) -> None:
        session = WebSocketSession.get(IDS[1])
        ChannelMembership.of(session, "late").save()
        session.update([WebSocketSession.channels.add({"late"})])
        read(self, recipients, call)

    monkeypatch.setattr(BatchCloser, "_read", late)

    assert close_gone(gone, channel_name="general") == COUNT

    assert open_now() == rostered() == set()
