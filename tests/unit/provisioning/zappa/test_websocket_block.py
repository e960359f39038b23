"""The `websocket_api` block."""

import json
import re

import pytest

from ws_lambda.provisioning.zappa.websocket_block import WebSocketBlock


def test_an_empty_block_is_a_working_api() -> None:
    block = WebSocketBlock.read({})
    assert block.all_routes == ("$connect", "$disconnect", "$default")
    assert block.answering == ("$default",)


def test_custom_routes_answer_unless_told_otherwise() -> None:
    assert WebSocketBlock.read({"routes": ["chat"]}).answering == ("$default", "chat")
    assert WebSocketBlock.read({"routes": ["chat"], "route_responses": False}).answering == ()
    assert WebSocketBlock.read({"routes": ["chat"], "route_responses": ["chat"]}).answering == ("chat",)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"route": []}, "has no route. It knows"),
        ({"routes": ["bad key"]}, "'bad key' is not a route key"),
        ({"routes": [f"r{n}" for n in range(298)]}, "300 routes"),
        ({"route_throttling": {"chat": {"rate": 1}}}, "chat, which is not among the routes"),
        ({"route_responses": ["chat"]}, "chat, which is not among the routes"),
        ({"domain": {"name": "ws.example.com"}}, "certificate_arn"),
        ({"domain": {"host": "ws.example.com"}}, "has no host"),
        ({"domain": "ws.example.com"}, "is 'ws.example.com', not a block of certificate_arn"),
        ({"throttling": {"rps": 5}}, "websocket_api: throttling has no rps. It knows burst, rate"),
        ({"throttling": {"rate": 5}}, "give throttling both a rate and a burst"),
        ({"throttling": {"rate": 0}}, "a limit of throttling is 0, not a number above 0"),
        ({"route_throttling": {"$connect": {"rate": "5"}}}, "a limit of $connect is '5'"),
        ({"access_log": {"retention": 30}}, "access_log has no retention"),
    ],
)
def test_impossible_settings_are_reported(block: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        WebSocketBlock.read(block)


def test_the_access_log_has_ids_and_no_query() -> None:
    form = json.loads(WebSocketBlock.read({}).log_format)
    assert form["connectionId"] == "$context.connectionId"
    assert not [value for value in form.values() if "query" in value or "authorizer" in value or "body" in value]
    assert WebSocketBlock.read({"access_log": {"format": "$context.requestId"}}).log_format == "$context.requestId"
