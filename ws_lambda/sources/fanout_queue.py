"""The fan-out queue: SQS delivers broadcasts that their senders have put there."""

from collections.abc import Mapping
from typing import Any

from ws_lambda.conf import conf


def recognises(event: Mapping[str, Any]) -> bool:
    """Whether SQS delivers from FANOUT_QUEUE_URL. Other queues of the project are not ours."""
    records = event.get("Records")
    if not records or records[0].get("eventSource") != "aws:sqs" or not conf.FANOUT_QUEUE_URL:
        return False
    queue_name = str(records[0].get("eventSourceARN", "")).rpartition(":")[2]
    return queue_name == conf.FANOUT_QUEUE_URL.rpartition("/")[2]


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sends what the event's messages hold; returns the messages that SQS is to deliver again."""
    from ws_lambda import fanout

    return fanout.handle(event, context)
