"""Makes moto's DynamoDB several times as fast: a test's reads and writes are most of its time.

The package's own clients call moto as functions instead of by HTTP: no signature, no headers, no JSON of the answer.
moto's patterns of URLs are made once. See also `ws_lambda.local.moto_expressions`.
"""

import functools
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from ws_lambda import aws
from ws_lambda.local import moto_direct

EVENT = "before-call.dynamodb"

_turns = threading.RLock()
"""What requests wait for."""

_blocks_without_http = 0


@contextmanager
def quick_mock() -> Iterator[None]:
    """moto's `mock_aws`, in a tenth of the time: it makes 1,300 patterns of URLs whenever it begins."""
    from moto import mock_aws
    from moto.core import models

    mocked = mock_aws()
    patterns = getattr(models, "CallbackResponse", None)
    with mock.patch.object(models, "CallbackResponse", _made_once(patterns)) if patterns else nullcontext():
        mocked.start()
    try:
        yield
    finally:
        mocked.stop()


@functools.cache
def _made_once(patterns: Any) -> Any:
    return functools.cache(patterns)


@contextmanager
def taking_turns() -> Iterator[None]:
    """One request at a time, for the time of a `with` block.

    moto undoes a transaction that fails, and with it would undo what another thread wrote meanwhile.
    """
    from moto.core.botocore_stubber import BotocoreStubber

    original = BotocoreStubber.process_request

    def process_request(stubber: Any, request: Any) -> Any:
        with _turns:
            return original(stubber, request)

    with mock.patch.object(BotocoreStubber, "process_request", process_request):
        yield


@contextmanager
def without_http() -> Iterator[None]:
    """For the time of a `with` block, in which clients must be made, or in an earlier one. Requests wait their turn.

    What fails, and what has binary values in it, goes the long way after all: errors and encodings stay moto's own.
    """
    global _blocks_without_http
    events = aws.session().get_component("event_emitter")
    events.register_last(EVENT, _answer)
    _blocks_without_http += 1
    try:
        yield
    finally:
        _blocks_without_http -= 1
        events.unregister(EVENT, _answer)


def _answer(model: Any, params: dict[str, Any], context: dict[str, Any], **_kwargs: object) -> Any:
    """moto's answer to a request, or None for one that goes the long way."""
    if not _blocks_without_http or model.name not in moto_direct.OPERATIONS:
        return None
    if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ:
        return None  # `dynamodb_faults` wants them on the wire
    body = params["body"]
    if moto_direct.has_binary(body):
        return None
    with _turns:
        try:
            found = _ask(model, json.loads(body), context["client_region"])
        except Exception:
            return None  # the long way fails as well, with the error that a client is to see
    return AWSResponse(params["url"], 200, HTTPHeaders(), None), found


def _ask(model: Any, asked: dict[str, Any], region: str) -> dict[str, Any]:
    """What moto answers, as botocore would have parsed it."""
    found: dict[str, Any] = _copy(moto_direct.ask(model.name, asked, region))
    return found | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


def _copy(value: Any) -> Any:
    """A copy that shares nothing with moto's tables."""
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
