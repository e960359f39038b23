"""Which records come from the fan-out queue."""

from typing import Any

import pytest

from ws_lambda.sources import fanout_queue

JOBS = {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:jobs"}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([JOBS], True),
        ([{**JOBS, "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:others"}], False),
        ([{**JOBS, "eventSource": "aws:sns"}], False),
        ([{**JOBS, "eventSourceARN": None}], False),
        ([], False),
        ([7], False),
        ([None], False),
        ({"0": JOBS}, False),
        ("text", False),
        (7, False),
        (None, False),
    ],
)
def test_only_records_of_the_queue_are_recognised(settings: Any, records: Any, expected: bool) -> None:
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"}
    assert fanout_queue.recognises({"Records": records}) is expected


def test_without_a_queue_nothing_is_recognised() -> None:
    assert not fanout_queue.recognises({"Records": [JOBS]})
