"""Makes moto's DynamoDB several times as fast, because most of a test's time is spent in it.

The package's clients call moto's functions directly instead of by HTTP: without signature, headers and JSON answers.
moto's URL patterns are created once. See also `ws_lambda.local.moto_expressions`.
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
"""The lock that lets one request run at a time."""

_blocks_without_http = 0


@contextmanager
def quick_mock(config: Any = None) -> Iterator[None]:
    """moto's `mock_aws` in a tenth of the time. moto itself creates 1,300 URL patterns at each start.

    Args:
        config: moto's own, as for `mock_aws`.
    """
    from moto import mock_aws
    from moto.core import models

    mocked = mock_aws(config=config)
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
    """Lets one request run at a time, for the time of a `with` block.

    When moto undoes a failed transaction, it would also undo what other threads have written meanwhile.
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
    """Lets clients that were created in this or an earlier block call moto directly, for the time of a `with` block.

    One request runs at a time. Requests that fail or contain binary values still go through botocore's HTTP layer, so
    that errors and encodings are moto's own.
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
    """moto's answer to a request; None for a request that goes through botocore's HTTP layer."""
    if not _blocks_without_http or model.name not in moto_direct.OPERATIONS:
        return None
    if "AWS_ENDPOINT_URL_DYNAMODB" in os.environ:
        return None  # `dynamodb_faults` needs the request on the wire
    body = params["body"]
    if moto_direct.has_binary(body):
        return None
    with _turns:
        try:
            found = _ask(model, json.loads(body), context["client_region"])
        except Exception:
            return None  # the HTTP layer fails as well, with the error that the client must get
    return AWSResponse(params["url"], 200, HTTPHeaders(), None), found


def _ask(model: Any, asked: dict[str, Any], region: str) -> dict[str, Any]:
    """moto's answer in the form in which botocore would have parsed it."""
    found: dict[str, Any] = _copy(moto_direct.ask(model.name, asked, region))
    return found | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


def _copy(value: Any) -> Any:
    """A copy that shares nothing with moto's tables."""
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
