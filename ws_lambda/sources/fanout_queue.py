"""The fan-out queue: SQS delivers jobs of big broadcasts."""

from collections.abc import Mapping
from typing import Any

from ws_lambda.conf import conf


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether the event comes from FANOUT_QUEUE_URL. Other queues belong to the project."""
    records = event.get("Records")
    first = records[0] if records and isinstance(records, list) else None
    if not isinstance(first, Mapping) or first.get("eventSource") != "aws:sqs" or not conf.FANOUT_QUEUE_URL:
        return False
    queue_name = str(first.get("eventSourceARN", "")).rpartition(":")[2]
    return queue_name == conf.FANOUT_QUEUE_URL.rpartition("/")[2]


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sends the jobs in the event, and returns which messages SQS must deliver again."""
    from ws_lambda import fanout

    return fanout.handle(event, context)
