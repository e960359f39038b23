"""Calling the function as Lambda does."""

import base64
import json

import pytest

from ws_lambda.exceptions import UnknownEvent
from ws_lambda.testing import LambdaContext, decode_answer, invoke, message_event


def test_the_function_is_the_packages(ws_tables):
    status, said = decode_answer(invoke(message_event({"action": "ask"}, "unknown=")))
    assert (status, said["message"]) == (400, "Invalid connection ID")


def test_an_event_and_its_answer_are_json():
    seen = []
    answer = invoke({"numbers": (1, 2)}, handler=lambda event, context: seen.append(event) or {"ids": (3,)})
    assert (seen, answer) == ([{"numbers": [1, 2]}], {"ids": [3]})
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        invoke({}, handler=lambda event, context: {1, 2})


def test_the_context_is_a_new_one_or_the_tests_own():
    def left(event, context):
        return context.aws_request_id, context.get_remaining_time_in_millis()

    (first, seconds), (second, _) = invoke({}, handler=left), invoke({}, handler=left)
    assert first != second
    assert 29_000 < seconds <= 30_000
    own = LambdaContext("mine", seconds=2)
    assert invoke({}, own, handler=left)[0] == own.aws_request_id
    assert invoke({}, own, handler=left)[1] <= 2_000


def test_errors_of_the_function_are_the_tests():
    with pytest.raises(UnknownEvent):
        invoke({"nobody": "knows"})


def test_an_answer_is_decoded():
    assert decode_answer({"statusCode": 201, "body": json.dumps({"a": 1})}) == (201, {"a": 1})


def test_an_answer_in_base64_is_decoded():
    body = base64.b64encode('{"a": "ä"}'.encode()).decode()
    assert decode_answer({"statusCode": 200, "body": body, "isBase64Encoded": True}) == (200, {"a": "ä"})
    assert decode_answer({"statusCode": 200, "body": "{}", "isBase64Encoded": False}) == (200, {})
