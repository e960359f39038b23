"""HTTP requests, through `lambda_handler`. `tests/flows/test_http.py` follows each kind to the project and back."""

from pathlib import Path
from typing import Any

import pytest

from tests.golden import FOLDER, golden
from ws_lambda.lambda_handler import handler
from ws_lambda.sources import http
from ws_lambda.testing import LambdaContext

KINDS = sorted(path.stem for path in Path(FOLDER / "http").glob("*.json"))


@pytest.mark.usefixtures("ws_tables")
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_is_answered_by_the_project(kind: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert handler(golden(f"http/{kind}"), LambdaContext())["statusCode"] == 404


@pytest.mark.parametrize("event", [{}, {"requestContext": None}, {"requestContext": {}}, golden("message")])
def test_other_events_are_not_requests(event: dict[str, Any]) -> None:
    assert not http.recognises(event)
