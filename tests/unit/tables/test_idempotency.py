"""How a repeated write recognises its first attempt."""

import pytest
from botocore.exceptions import ClientError

from ws_lambda.models import WebSocketSession
from ws_lambda.models.rate_limits import hit
from ws_lambda.tables import idempotency
from ws_lambda.testing import connect_event, invoke, message_event, mint_token


def refused(operation, item=None, *, attempts=1, reasons=()):
    code = "TransactionCanceledException" if reasons else "ConditionalCheckFailedException"
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"RetryAttempts": attempts}, "CancellationReasons": reasons}
    return ClientError(answer | ({"Item": item} if item else {}), operation)


ITEM = {"id": {"S": "a"}, "n": {"N": "1"}, "set": {"SS": ["x", "y"]}, "map": {"M": {"l": {"L": [{"N": "2"}]}}}}
SAME = {"id": {"S": "a"}, "n": {"N": "1.0"}, "set": {"SS": ["y", "x"]}, "map": {"M": {"l": {"L": [{"N": "2"}]}}}}


@pytest.mark.parametrize(
    ("stored", "attempts", "own"),
    [(SAME, 1, True), (SAME, 0, False), (SAME | {"n": {"N": "2"}}, 1, False), (None, 1, False)],
)
def test_a_put_knows_its_own_item_when_it_was_made_again(stored, attempts, own):
    error = refused("PutItem", stored, attempts=attempts)
    assert idempotency.done_before("PutItem", {"Item": ITEM}, error) is own


@pytest.mark.parametrize(("stored", "own"), [(None, True), (ITEM, False)])
def test_a_delete_that_finds_nothing_has_done_its_work(stored, own):
    assert idempotency.done_before("DeleteItem", {}, refused("DeleteItem", stored)) is own


@pytest.mark.parametrize(("stored", "own"), [(SAME, True), (SAME | {"id": {"S": "b"}}, False)])
def test_a_transaction_knows_one_of_its_items(stored, own):
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": stored}]
    request = {"TransactItems": [{"Delete": {}}, {"Put": {"Item": ITEM}}]}
    assert idempotency.done_before("TransactWriteItems", request, refused("Transact", reasons=reasons)) is own


def test_an_error_of_the_network_has_no_code():
    assert idempotency.response_code(TimeoutError()) == ""


def test_a_row_keeps_the_marks_of_its_last_eight_messages(ws_tables, user):
    invoke(connect_event("C1=", token=mint_token(user)))
    for number in range(8):
        invoke(message_event({"action": "chat"}, messageId=f"m{number}"))
    row = WebSocketSession.get("C1=")
    for number in range(8):  # each is known, and not counted again
        assert invoke(message_event({"action": "chat"}, messageId=f"m{number}"))["statusCode"] == 200
    assert WebSocketSession.get("C1=").request_count == row.request_count == 8
    invoke(message_event({"action": "chat"}, messageId="m8"))
    invoke(message_event({"action": "chat"}, messageId="m0"))  # nine others ago it was another message
    assert WebSocketSession.get("C1=").request_count == 10


def test_a_known_message_goes_through_though_the_limit_is_reached_meanwhile(ws_tables, user, settings):
    settings.WS_LAMBDA = {"MESSAGES_PER_MINUTE": 1}
    invoke(connect_event("C1=", token=mint_token(user)))
    assert invoke(message_event({"action": "chat"}, messageId="m"))["statusCode"] == 200
    assert invoke(message_event({"action": "chat"}, messageId="m"))["statusCode"] == 200
    assert invoke(message_event({"action": "chat"}, messageId="n"))["statusCode"] == 429


def test_a_counter_counts_each_hit(ws_tables):
    assert [hit("scope") for _ in range(10)] == list(range(1, 11))
