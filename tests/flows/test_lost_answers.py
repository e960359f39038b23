"""Half of DynamoDB's answers are lost after the write: everything is done once, or ends in a clear error.

See docs/contract.md 36.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from django.contrib.auth import get_user_model

from tests import backends, urls
from ws_lambda import clock, delivery, housekeeping
from ws_lambda.local.dynamodb_faults import DynamoDBFaults
from ws_lambda.models import ChannelMembership, ChannelMessage, WebSocketSession
from ws_lambda.testing import ConnectRefused, connect_event, disconnect_event, invoke, message_event, mint_token

TIMES = 15
LOSING = DynamoDBFaults(cut=0.5)


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.WS_LAMBDA = {"UNLISTED_CHANNELS": "anyone", "CONNECTS_PER_MINUTE": 10_000, "TOKENS_PER_MINUTE": 10_000}


class Moving(urls.ChatView):
    def move(self, request, *args, **kwargs):
        self.websocket_session.join(self.body["to"])


@pytest.fixture
def user(ws_tables: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(urls.current, "view", Moving)
    return get_user_model().objects.create_user("alice", password="secret")


def agreed() -> None:
    """Every membership is one of an open session's, and every open session has all of its own."""
    rostered = {(row.channel, row.connection_id) for row in ChannelMembership.scan(consistent_read=True)}
    sessions = WebSocketSession.scan(WebSocketSession.connected == True, consistent_read=True)  # noqa: E712
    assert rostered == {(name, one.connection_id) for one in sessions for name in one.channels or ()}


def test_messages_are_counted_once(ws_dynamodb_faults, ws_client, user):
    ws = ws_client(user=user, channel="general")
    ws_dynamodb_faults.faults = LOSING
    for _ in range(TIMES):
        ws.send_json({"action": "chat"})
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert ws_dynamodb_faults.seen["UpdateItem", "cut"] > TIMES / 4
    answered = [answer for answer in ws.receive_all() if "handler" in answer]
    errors = TIMES - len(answered)
    assert len(answered) <= ws.session.request_count <= len(answered) + errors
    assert len(answered) > TIMES / 2


def test_a_connect_whose_answer_is_lost_is_in(ws_dynamodb_faults, ws_client, user):
    ws_dynamodb_faults.faults = LOSING
    refused = []
    for _ in range(TIMES):
        try:
            ws_client(user=user, channel="general")
        except ConnectRefused as refusal:
            refused.append(refusal.status)
        except Exception as error:
            assert "Connection was closed" in str(error), error
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert ws_dynamodb_faults.seen["TransactWriteItems", "cut"] > TIMES / 4
    assert set(refused) <= {500, 502}
    agreed()


def test_a_disconnect_leaves_no_membership(ws_dynamodb_faults, ws_client, user):
    clients = [ws_client(user=user, channel="general") for _ in range(TIMES)]
    ws_dynamodb_faults.faults = DynamoDBFaults(cut=0.3)
    for ws in clients:
        ws.disconnect()
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert ws_dynamodb_faults.seen["UpdateItem", "cut"] > 0
    agreed()


def test_joining_happens_once(ws_dynamodb_faults, ws_client, user):
    ws = ws_client(user=user, channel="general")
    ws_dynamodb_faults.faults = LOSING
    for number in range(TIMES):
        ws.send_json({"action": "move", "to": f"room-{number}"})
    ws_dynamodb_faults.faults = DynamoDBFaults()
    assert ws_dynamodb_faults.seen["TransactWriteItems", "cut"] > TIMES / 4
    agreed()
    assert len(ws.session.channels) > TIMES / 2


def test_all_answers_lost_is_an_error_of_the_network(ws_dynamodb_faults, user):
    ws_dynamodb_faults.faults = DynamoDBFaults(cut=1)
    with pytest.raises(Exception, match="Connection was closed") as lost:
        get_user_model().objects.create_user("bob", password="secret")
    assert isinstance(lost.value.cause, ConnectionClosedError)
    assert lost.value.cause_response_code is None


MANY = 200 if os.environ.get("WS_LAMBDA_REQUIRE_ALL") else 50
"""Of each, in CI and elsewhere."""


class Nobody:
    """An API Gateway that has no connection any more."""

    grace_period = 0

    def exchange(self, request: delivery.Request) -> delivery.Response:
        return delivery.Response(410)


def statuses(work: Callable[[int], dict[str, Any]]) -> list[int]:
    with ThreadPoolExecutor(8) as pool:
        return [answer["statusCode"] for answer in pool.map(work, range(MANY))]


def stored(number: int) -> dict[str, Any]:
    try:
        ChannelMessage.append("log", {"n": number})
    except Exception as error:
        assert "Connection was closed" in str(error), error
        return {"statusCode": 500}
    return {"statusCode": 200}


def test_many_of_each(ws_dynamodb_faults, people, settings, monkeypatch):
    """Half of all answers are lost, whatever is asked: each is done once, or ends in a clear error."""
    settings.WS_LAMBDA = settings.WS_LAMBDA | {"HISTORY": {"log": (2 * MANY, 3600)}, "CONNECTIONS_PER_USER": 10_000}
    monkeypatch.setitem(urls.current, "view", Moving)
    user = backends.add("7")
    tokens = [mint_token(user) for _ in range(MANY)]
    ws_dynamodb_faults.faults = LOSING

    connects = statuses(lambda n: invoke(connect_event(f"C{n}=", token=tokens[n], channel="general")))
    messages = statuses(lambda n: invoke(message_event({"action": "chat"}, f"C{n}=")))
    joins = statuses(lambda n: invoke(message_event({"action": "move", "to": f"room-{n % 7}"}, f"C{n}=")))
    appends = statuses(stored)
    ws_dynamodb_faults.faults = DynamoDBFaults()
    sessions = {row.connection_id: row for row in WebSocketSession.scan(consistent_read=True)}
    agreed()
    ws_dynamodb_faults.faults = LOSING
    disconnects = statuses(lambda n: invoke(disconnect_event(f"C{n}=")))
    ws_dynamodb_faults.faults = DynamoDBFaults()

    for n in range(MANY):
        row, joined = sessions.get(f"C{n}="), f"room-{n % 7}"
        assert connects[n] in (200, 500) and (connects[n] == 500 or row is not None)
        if row is None:
            assert messages[n] in (400, 500)
            continue
        answers = (messages[n], joins[n])
        assert set(answers) <= {200, 500}
        assert answers.count(200) <= row.request_count <= 2
        assert joins[n] == 500 or joined in row.channels
    history = [message.payload["n"] for message in ChannelMessage.recent("log")]
    assert len(history) == len(set(history))
    assert {n for n in range(MANY) if appends[n] == 200} <= set(history)
    for kind in (connects, messages, joins, appends, disconnects):
        assert kind.count(500) < MANY / 2

    later = clock.now() + 1200
    monkeypatch.setattr(clock, "now", lambda: later)
    with delivery.using_transport(Nobody()):
        assert housekeeping.run().complete
    assert not [row for row in WebSocketSession.scan(consistent_read=True) if row.connected]
    assert not list(ChannelMembership.scan(consistent_read=True))
