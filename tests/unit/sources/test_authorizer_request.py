"""Events for a Lambda authorizer are refused."""

import pytest

from tests.golden import golden
from ws_lambda.lambda_handler import handler
from ws_lambda.testing import LambdaContext

REQUEST = {"type": "REQUEST", "methodArn": "arn:aws:execute-api:eu-west-1:1:abc/dev/$connect"}


def test_an_authorizer_event_is_no_connect() -> None:
    with pytest.raises(PermissionError, match="Unauthorized"):
        handler({**golden("connect"), **REQUEST}, LambdaContext())
