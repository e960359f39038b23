"""Makes moto's DynamoDB several times as fast: a test's reads and writes are most of its time.

The package's own clients call moto as functions instead of by HTTP: no signature, no headers, no JSON of the answer.
See also `ws_lambda.local.moto_expressions`.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from ws_lambda import aws
from ws_lambda.local import moto_direct

EVENT = "before-call"


@contextmanager
def taking_turns() -> Iterator[AbstractContextManager[bool]]:
    """One request at a time, for the time of a `with` block; the lock that they wait for.

    moto undoes a transaction that fails, and with it would undo what another thread wrote meanwhile.
    """
    from moto.core.botocore_stubber import BotocoreStubber

    turns, original = threading.RLock(), BotocoreStubber.process_request

    def process_request(stubber: Any, request: Any) -> Any:
        with turns:
            return original(stubber, request)

    with mock.patch.object(BotocoreStubber, "process_request", process_request):
        yield turns


@contextmanager
def without_http(turns: AbstractContextManager[Any]) -> Iterator[None]:
    """For the time of a `with` block, in which clients must be made. Requests wait for their turn.

    What fails, and what has binary values in it, goes the long way after all: errors and encodings stay moto's own.
    """

    def answer(model: Any, params: dict[str, Any], context: dict[str, Any], **_kwargs: object) -> Any:
        if model.service_model.service_name != "dynamodb" or model.name not in moto_direct.OPERATIONS:
            return None
        if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ:
            return None  # `dynamodb_faults` wants them on the wire
        body = params["body"]
        if moto_direct.has_binary(body):
            return None
        with turns:
            try:
                found = _ask(model, json.loads(body), context["client_region"])
            except Exception:
                return None  # the long way fails as well, with the error that a client is to see
        return AWSResponse(params["url"], 200, HTTPHeaders(), None), found

    events = aws.session().get_component("event_emitter")
    events.register_last(EVENT, answer)
    try:
        yield
    finally:
        events.unregister(EVENT, answer)


def _ask(model: Any, asked: dict[str, Any], region: str) -> dict[str, Any]:
    """What moto answers, as botocore would have parsed it."""
    found: dict[str, Any] = _copy(moto_direct.ask(model.name, asked, region))
    return found | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


def _copy(value: Any) -> Any:
    """A copy that shares nothing with moto's tables."""
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
