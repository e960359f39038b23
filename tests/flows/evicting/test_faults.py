"""Removing members from channels while DynamoDB loses answers, throttles and fails: nobody keeps a channel."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests import urls
from tests.flows.test_lost_answers import agreed
from ws_lambda import delivery, housekeeping
from ws_lambda.delivery import calls
from ws_lambda.gatekeeping import eviction
from ws_lambda.gatekeeping.eviction import evict
from ws_lambda.local.dynamodb_faults import DynamoDBFaults
from ws_lambda.models import ChannelMembership, ChannelPermission, WebSocketSession, unfinished_work

MEMBERS = 20
WRITES = frozenset({"TransactWriteItems", "BatchWriteItem", "UpdateItem"})


@pytest.fixture
def room(ws_client: Any, monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[Any]:
    """Half of the members are in the lobby, too; each transaction takes a few of them."""
    settings.WS_LAMBDA = {"CONNECTS_PER_MINUTE": 10_000, "TOKENS_PER_MINUTE": 10_000}
    monkeypatch.setitem(urls.current, "view", urls.ChatView)
    monkeypatch.setattr("ws_lambda.models.batch_leaving.MOST_ITEMS", 8)
    users = [get_user_model().objects.create_user(f"member-{number}", password="secret") for number in range(4)]
    clients = [ws_client(user=users[number % 4], channel="general") for number in range(MEMBERS)]
    for client in clients[::2]:
        client.session.join("lobby")
    return clients


def everybody_is_out(room: list[Any]) -> None:
    assert ChannelMembership.count("general") == 0
    assert [client.connected for client in room] == [number % 2 == 0 for number in range(MEMBERS)]
    assert ChannelMembership.count("lobby") == MEMBERS / 2
    assert not any("general" in (one.channels or ()) for one in WebSocketSession.scan() if one.connected)
    agreed()


@pytest.mark.parametrize(
    "faults",
    [
        DynamoDBFaults(cut=0.4),
        DynamoDBFaults(throttle=0.4, operations=WRITES),
        DynamoDBFaults(error=0.4, operations=WRITES),
        DynamoDBFaults(cut=0.2, cut_before=0.1, throttle=0.1),
    ],
)
def test_no_member_stays(room: list[Any], ws_dynamodb_faults: Any, faults: DynamoDBFaults) -> None:
    ChannelPermission("general", access="staff_only").save()
    ws_dynamodb_faults.faults = faults
    out = 0
    for _run in range(10):
        try:
            evicted = evict("general")
        except Exception as error:  # as clear as it can be; what is left is the schedule's
            assert any(word in str(error) for word in ("closed", "could not be", "failed", "on purpose")), error
        else:
            out += evicted.evicted
            if evicted.complete and not evicted.undone:
                break
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert any(fault for (operation, fault) in ws_dynamodb_faults.seen if operation == "TransactWriteItems")
    housekeeping.run()
    everybody_is_out(room)
    assert out <= MEMBERS, "an answer that was lost is no second member"


def test_when_nothing_can_be_written_it_is_said_and_done_later(
    room: list[Any], ws_dynamodb_faults: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_RETRY", replace(calls._RETRY, attempts=1))
    ChannelPermission("general", access="staff_only").save()
    ws_dynamodb_faults.faults = DynamoDBFaults(throttle=1, operations=frozenset({"TransactWriteItems"}))

    evicted = evict("general")

    assert (evicted.evicted, evicted.undone) == (0, MEMBERS)
    assert f"{MEMBERS} could not be removed, and the schedule will try again" in str(evicted)
    assert f"{MEMBERS} members could not be removed: ProvisionedThroughputExceededException" in caplog.text
    agreed()
    (work,) = unfinished_work.everything()
    assert work.place == {}, "from the beginning"
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert housekeeping.run().removed == MEMBERS
    everybody_is_out(room)


def answering(monkeypatch: pytest.MonkeyPatch, change: Callable[[delivery.Call, int], None]) -> list[str]:
    """Changes the answers to requests; the value is the operations so far."""
    asked: list[str] = []
    make = calls._one_by_client

    def answer(client: Any, call: delivery.Call, ends_at: float) -> None:
        asked.append(call.operation)
        make(client, call, ends_at)
        change(call, asked.count(call.operation))

    monkeypatch.setattr(calls, "_one_by_client", answer)
    return asked


def test_sessions_that_dynamodb_leaves_out_are_asked_for_again(
    room: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`UnprocessedKeys`: as under load, or beyond 16 MB."""
    table = WebSocketSession.Meta.table_name

    def leave_out(call: delivery.Call, time: int) -> None:
        if call.operation == "BatchGetItem" and time < 3 and call.answer is not None:
            items = call.answer["Responses"][table]
            left_out, items[7:] = items[7:], []
            keys = [{"connection_id": item["connection_id"]} for item in left_out]
            call.answer["UnprocessedKeys"] = {table: {"Keys": keys}}

    asked = answering(monkeypatch, leave_out)
    ChannelPermission("general", access="staff_only").save()
    assert evict("general").evicted == MEMBERS
    assert asked.count("BatchGetItem") == 3
    everybody_is_out(room)


def test_a_member_that_collides_is_tried_again_and_does_not_delay_others(
    room: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction of several members is cancelled for one of them."""
    from ws_lambda.models import batch_leaving

    changed: list[str] = []
    make = batch_leaving._transaction

    def change_one(batch: Any) -> Any:
        request = make(batch)
        if len(changed) < 3:
            other = batch[0].session.connection_id
            changed.append(other)
            WebSocketSession.get(other).join(f"elsewhere-{len(changed)}", check=False)
        return request

    monkeypatch.setattr(batch_leaving, "_transaction", change_one)
    ChannelPermission("general", access="staff_only").save()
    evicted = evict("general")
    assert (evicted.evicted, evicted.undone) == (MEMBERS, 0)
    assert ChannelMembership.count("general") == 0
    stay = {client.connection_id for client in room[::2]} | set(changed)
    assert {one.connection_id for one in WebSocketSession.scan() if one.connected} == stay
    agreed()


def test_a_member_that_cannot_be_removed_does_not_keep_others_in(
    room: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = room[5].connection_id
    make = calls._one_by_client

    def refuse(client: Any, call: delivery.Call, ends_at: float) -> None:
        if call.operation == "TransactWriteItems" and stuck in str(call.asked):
            call.error = "ValidationException"
        else:
            make(client, call, ends_at)

    ChannelPermission("general", access="staff_only").save()
    with monkeypatch.context() as patch:
        patch.setattr(calls, "_one_by_client", refuse)
        evicted = evict("general")
    assert (evicted.evicted, evicted.undone) == (MEMBERS - 1, 1)
    assert {row.connection_id for row in ChannelMembership.query("general")} == {stuck}
    assert "1 members could not be removed: ValidationException" in caplog.text
    housekeeping.run()
    everybody_is_out(room)


def test_a_socket_that_cannot_be_closed_is_counted_and_closed_later(ws_gateway: Any, room: list[Any]) -> None:
    from ws_lambda.local import Faults

    ws_gateway.advance(60)
    ws_gateway.core.faults = Faults(connections_error=1)
    ChannelPermission("general", access="staff_only").save()
    with delivery.deadline(eviction.GRACE + 0.5):
        evicted = evict("general")
    assert evicted.unclosed == evicted.disconnected == MEMBERS / 2
    ws_gateway.core.faults = Faults()
    assert housekeeping.run().sockets_closed == MEMBERS / 2
    everybody_is_out(room)
