"""Closing gone connections does not delay sending: one pump does both, and the worker ends after the closing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from django.conf import LazySettings

from tests.far_side import FarSide
from tests.flows.fanout.conftest import job, join
from ws_lambda import delivery, fanout
from ws_lambda.delivery import calls, dispatch
from ws_lambda.delivery.job_rows import register
from ws_lambda.local.dynamodb_faults import DynamoDBFaults, FaultyDynamoDB
from ws_lambda.models import ChannelMembership
from ws_lambda.models.batch_closing import BatchCloser

LEAVING = frozenset({"DeleteItem"})
"""What takes someone without a session out of a channel. Nothing else in this story deletes a single row."""


@dataclass
class Room:
    """A channel behind a real socket, the first of whose members are gone."""

    far: FarSide
    gone: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)

    def answer(self, connection_id: str, _before: int) -> int:
        return 410 if connection_id in self.gone else 200

    @property
    def members(self) -> set[str]:
        return {row.connection_id for row in ChannelMembership.query("general")}


@pytest.fixture
def room(ws_dynamodb_faults: FaultyDynamoDB, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    settings.WS_LAMBDA = {"FANOUT_CONNECTIONS": 5, "FANOUT_MAX_RPS": 0}
    monkeypatch.setattr(dispatch, "PROGRESS_EVERY", 10)
    with FarSide().serving() as far:
        ids = sorted(join(300, endpoint_url=far.endpoint_url))
        one = Room(far, gone=ids[:60], there=ids[60:])
        far.behave = one.answer
        register([job()])
        yield one


def test_the_rest_is_sent_to_while_closing_waits(room: Room, ws_dynamodb_faults: FaultyDynamoDB) -> None:
    begun, seen = list[bool](), ws_dynamodb_faults.seen

    def heal_near_the_end(connection_id: str, before: int) -> int:
        if connection_id == room.there[-10]:
            begun.append(seen["DeleteItem", "throttle"] > 0 and not seen["DeleteItem", ""])
            ws_dynamodb_faults.faults = DynamoDBFaults()
        return room.answer(connection_id, before)

    room.far.behave = heal_near_the_end
    ws_dynamodb_faults.faults = DynamoDBFaults(throttle=1.0, operations=LEAVING)
    fanout.work_off(job(), lambda _seconds: None)

    assert begun == [True], "nobody was being closed while the others were sent to"
    assert {one for one in room.there if room.far.delivered[one]} == set(room.there)
    assert room.members == set(room.there)


def test_a_failed_close_is_logged_and_harms_no_other(
    room: Room,
    ws_dynamodb_faults: FaultyDynamoDB,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(calls, "_RETRY", replace(calls._RETRY, attempts=2))
    ws_dynamodb_faults.faults = DynamoDBFaults(error=1.0, operations=LEAVING)

    fanout.work_off(job(), lambda _seconds: None)

    assert {one for one in room.there if room.far.delivered[one]} == set(room.there)
    assert "60 requests to close gone connections failed: InternalServerError" in caplog.text
    assert room.members == {*room.there, *room.gone}


def test_it_ends_within_a_second_of_the_deadline(room: Room, ws_dynamodb_faults: FaultyDynamoDB) -> None:
    ws_dynamodb_faults.faults = DynamoDBFaults(throttle=1.0, operations=LEAVING)
    begun = time.monotonic()
    with delivery.deadline(0):
        closer = BatchCloser("general")
        closer.close([delivery.Recipient(one, room.far.endpoint_url, 1_700_000_000_000) for one in room.gone])
        closer.finish()

    assert len(closer.errors) == 60
    assert "out of time" in closer.errors  # others may have been cut off in the middle of an answer
    assert time.monotonic() >= begun + calls.CLOSING_SECONDS
