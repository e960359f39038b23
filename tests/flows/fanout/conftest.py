"""A queue, a gateway that answers for `@connections`, and members to send to."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from ws_lambda import aws, clock, delivery
from ws_lambda.conf import conf
from ws_lambda.delivery.jobs import Job
from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.models import ChannelMembership
from ws_lambda.tables.attributes import from_milliseconds

ENDPOINT = "https://abc123.execute-api.eu-west-1.amazonaws.com/production"


class Gateway:
    """Answers for `@connections` without a network."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        self.gone: set[str] = set()
        self.bodies: set[bytes] = set()
        self.after: Any = lambda _count: None

    def exchange(self, request: delivery.Request) -> delivery.Response:
        connection_id = request.context.recipient.connection_id
        if connection_id in self.gone:
            return delivery.Response(410)
        self.delivered[connection_id] += 1
        self.bodies.add(request.body)
        self.after(self.delivered.total())
        return delivery.Response(200)


@pytest.fixture
def gateway(ws_tables: list[str]) -> Any:
    far = Gateway()
    with delivery.using_transport(far):
        yield far


@pytest.fixture
def sqs(gateway: Gateway, settings: Any) -> Any:
    """The client of an empty fan-out queue, and FANOUT_QUEUE_URL set to it."""
    client = aws.client("sqs")
    url = client.create_queue(QueueName="fanout", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    settings.WS_LAMBDA = {"FANOUT_QUEUE_URL": url, "FANOUT_INLINE_MAX": 10, "FANOUT_WORKERS": 3, "FANOUT_MAX_RPS": 0}
    return client


def join(count: int, channel: str = "general", endpoint_url: str = ENDPOINT) -> list[str]:
    ids = [f"F{number * 7919 % 100_000:05}x=" for number in range(count)]
    with ChannelMembership.batch_write() as batch:
        for connection_id in ids:
            batch.save(
                ChannelMembership(
                    channel,
                    connection_id,
                    endpoint_url=endpoint_url,
                    api_id="abc123",
                    connected_at=from_milliseconds(1_700_000_000_000),
                    joined_at=clock.utcnow(),
                    expires_at=clock.utcnow() + timedelta(hours=1),  # DynamoDB Local deletes what has expired
                )
            )
    return ids


def events(sqs: Any) -> list[dict[str, Any]]:
    """All messages of the queue, each as its own SQS event; they are deleted."""
    found = []
    while messages := sqs.receive_message(QueueUrl=conf.FANOUT_QUEUE_URL, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            sqs.delete_message(QueueUrl=conf.FANOUT_QUEUE_URL, ReceiptHandle=one["ReceiptHandle"])
            record = {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "eventSource": "aws:sqs",
            }
            found.append({"Records": [record]})
    return found


NOT_AFTER = int(clock.now()) + 3600


def job(**changes: Any) -> Job:
    given: dict[str, Any] = {
        "job_id": "b.0",
        "body": b"x",
        "pieces": 1,
        "not_after": NOT_AFTER,
        "part": KeyRange("channel", "general"),
    }
    return Job(**{**given, **changes})
