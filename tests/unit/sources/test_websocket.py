"""WebSocket events, through `lambda_handler`. The flows follow each of them further."""

import logging

import pytest

from tests.golden import golden
from ws_lambda.lambda_handler import handler
from ws_lambda.testing import LambdaContext, decode_answer

pytestmark = pytest.mark.usefixtures("ws_tables")


@pytest.mark.parametrize(("name", "status"), [("connect", 401), ("message", 400), ("disconnect_client", 200)])
def test_an_event_of_a_stranger_is_answered(name: str, status: int) -> None:
    assert handler(golden(name), LambdaContext())["statusCode"] == status


def test_a_malformed_event_is_refused_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "ws_lambda")
    answer = handler(golden("message", connectedAt="yesterday"), LambdaContext())
    assert decode_answer(answer) == (400, {"message": "Invalid request format", "status": 400})
    assert "Not a WebSocket proxy event" in caplog.text
