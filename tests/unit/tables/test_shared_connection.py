"""A single write that collides with a transaction is tried again. No emulator makes one fail like this."""

from types import SimpleNamespace
from typing import Any

import pytest
from pynamodb.exceptions import PutError

from ws_lambda.models import WebSocketSession
from ws_lambda.models.login_marks import ended_among, record_ended_login
from ws_lambda.tables.shared_connection import connection
from ws_lambda.testing import connect_event, disconnect_event, invoke, message_event, mint_token


@pytest.fixture
def collide(ws_tables: list[str]) -> Any:
    """Lets so many of the next requests of an operation collide; returns the list of those that did."""

    def arrange(operation: str, times: int) -> list[str]:
        collided: list[str] = []

        def answer(**_kwargs: Any) -> Any:
            if len(collided) == times:
                return None
            collided.append(operation)
            error = {"Code": "TransactionConflictException", "Message": "Transaction is ongoing for the item"}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}

        connection().client.meta.events.register(f"before-call.dynamodb.{operation}", answer)
        return collided

    return arrange


def test_a_message_that_meets_a_join_is_counted_once_and_answered(user: Any, collide: Any) -> None:
    invoke(connect_event("C1=", token=mint_token(user)))
    collided = collide("UpdateItem", 3)
    assert invoke(message_event({"action": "chat"}))["statusCode"] == 200
    assert len(collided) == 3
    assert WebSocketSession.get("C1=").request_count == 1


def test_a_disconnect_that_meets_a_join_closes_the_session(user: Any, collide: Any) -> None:
    invoke(connect_event("C1=", token=mint_token(user)))
    collided = collide("UpdateItem", 1)
    assert invoke(disconnect_event())["statusCode"] == 200
    assert collided
    assert not WebSocketSession.get("C1=").connected


def test_a_logout_that_meets_a_connect_is_noted(collide: Any) -> None:
    collided = collide("PutItem", 1)
    record_ended_login("login")
    assert collided
    assert ended_among(["login"])


def test_it_is_given_up_at_last(collide: Any) -> None:
    collided = collide("PutItem", 100)
    with pytest.raises(PutError) as failed:
        record_ended_login("login")
    assert failed.value.cause_response_code == "TransactionConflictException"
    assert len(collided) == 6
