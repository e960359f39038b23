"""A queued broadcast, from the send to the last recipient."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests.flows.fanout.conftest import ENDPOINT, Gateway, events, join
from ws_lambda import clock, delivery, fanout
from ws_lambda.delivery.jobs import LISTED_IN_A_JOB
from ws_lambda.exceptions import DeliveryError
from ws_lambda.models import FanoutJob, WebSocketSession
from ws_lambda.testing import LambdaContext


def test_many_go_through_the_queue_in_key_ranges(sqs: Any, gateway: Gateway) -> None:
    ids = join(200)

    report = WebSocketSession.objects.filter(channel_name="general").send_message({"text": "héllo"})

    assert (report.sent, report.queued) == (0, 3)
    for event in events(sqs):
        assert fanout.handle(event, LambdaContext(seconds=60)) == {"batchItemFailures": []}
    assert gateway.delivered == Counter(ids)
    assert gateway.bodies == {b'{"text":"h\\u00e9llo"}'}
    assert {(row.finished, len(row.pending)) for row in FanoutJob.scan()} == {(True, 2)}
    assert sum(int(row.sent) for row in FanoutJob.scan()) == 200


def test_a_queue_that_is_not_there_is_a_delivery_error(sqs: Any, gateway: Gateway) -> None:
    join(200)
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="fanout")["QueueUrl"])

    with pytest.raises(DeliveryError, match="NonExistentQueue"):
        WebSocketSession.objects.filter(channel_name="general").send_message("x")


def test_few_do_not(sqs: Any, gateway: Gateway) -> None:
    join(10)

    report = WebSocketSession.objects.filter(channel_name="general").send_message("x")

    assert (report.sent, report.queued) == (10, 0)
    assert not events(sqs)


def test_a_long_list_goes_through_the_queue_too(sqs: Any, gateway: Gateway) -> None:
    listed = [delivery.Recipient(f"L{number}=", ENDPOINT, 1) for number in range(LISTED_IN_A_JOB * 2 + 5)]

    report = delivery.send(delivery.Listed(iter(listed)), "x" * 131_072, on_gone=lambda _gone: None)

    assert report.queued == 3
    for event in events(sqs):
        assert len(event["Records"][0]["body"].encode()) < 262_144
        fanout.handle(event, LambdaContext(seconds=60))
    assert gateway.delivered == Counter(one.connection_id for one in listed)


def test_a_message_that_comes_twice_sends_once(sqs: Any, gateway: Gateway) -> None:
    join(50)
    delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None)

    for event in events(sqs) * 2:
        assert fanout.handle(event, LambdaContext(seconds=60)) == {"batchItemFailures": []}

    assert set(gateway.delivered.values()) == {1}


def test_everyone_by_the_queue(sqs: Any, gateway: Gateway) -> None:
    with WebSocketSession.batch_write() as batch:
        for number in range(40):
            batch.save(
                WebSocketSession(
                    f"E{number:03}=",
                    api_id="abc123",
                    endpoint_url=ENDPOINT,
                    live_shard=str(number % 4),
                    connected_at=clock.utcnow(),
                    last_seen_at=clock.utcnow(),
                    expires_at=clock.utcnow() + timedelta(hours=1),
                )
            )

    report = WebSocketSession.objects.filter(connected=True).send_message("x")

    assert report.queued == 4
    for event in events(sqs):
        fanout.handle(event, LambdaContext(seconds=60))
    assert set(gateway.delivered) == {f"E{number:03}=" for number in range(40)}
    assert set(gateway.delivered.values()) == {1}


def test_the_handler_passes_queue_events_to_the_worker(sqs: Any, gateway: Gateway) -> None:
    from ws_lambda.lambda_handler import handler

    ids = join(20)
    delivery.send(delivery.ChannelMembers("general"), "x", on_gone=lambda _gone: None)

    for event in events(sqs):
        event["Records"][0]["eventSourceARN"] = "arn:aws:sqs:eu-west-1:000000000000:fanout"
        assert handler(event, LambdaContext(seconds=60)) == {"batchItemFailures": []}

    assert gateway.delivered == Counter(ids)
