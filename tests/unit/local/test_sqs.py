"""The local queue, asked by boto3's own client."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from aiohttp import web
from botocore.exceptions import ClientError

from ws_lambda.local import sqs
from ws_lambda.local.sqs import LocalQueue

PATIENCE = 120


def with_queue(queue: LocalQueue, story: Callable[[Any, str], Any], until: Callable[[], bool] = lambda: True) -> None:
    """Mounts and starts a queue, runs `story(client, url)` in a thread, and waits until something is so."""

    async def main() -> None:
        app = web.Application(client_max_size=2**22)
        queue.mount(app, "/_sqs", {"x": "x"})
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        endpoint = f"http://{host}:{port}/_sqs"
        await queue.start()
        try:
            await asyncio.to_thread(_as_client, story, endpoint, queue.url(endpoint))
            async with asyncio.timeout(PATIENCE):
                while not until():
                    await asyncio.sleep(0.01)
        finally:
            await queue.stop()
            await runner.cleanup()

    asyncio.run(main())


def _as_client(story: Callable[[Any, str], Any], endpoint: str, url: str) -> None:
    client = botocore.session.get_session().create_client(
        "sqs",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    try:
        story(client, url)
    finally:
        client.close()


def test_a_batch_is_delivered_and_deleted() -> None:
    taken: list[dict[str, Any]] = []
    queue = LocalQueue(lambda event: taken.extend(event["Records"]), batch_size=3)

    def story(client: Any, url: str) -> None:
        entries = [{"Id": str(number), "MessageBody": f"job {number} é"} for number in range(5)]
        assert len(client.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 5

    with_queue(queue, story, until=lambda: not queue.waiting)

    assert sorted(record["body"] for record in taken) == [f"job {number} é" for number in range(5)]
    assert {record["eventSource"] for record in taken} == {"aws:sqs"}
    assert {record["eventSourceARN"] for record in taken} == {"arn:aws:sqs:eu-west-1:000000000000:fanout"}


def test_only_what_failed_comes_back() -> None:
    counts: dict[str, int] = {}

    def invoke(event: dict[str, Any]) -> dict[str, Any]:
        failures = []
        for record in event["Records"]:
            body = record["body"]
            counts[body] = counts.get(body, 0) + 1
            assert record["attributes"]["ApproximateReceiveCount"] == str(counts[body])
            if body == "bad" and counts[body] < 3:
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    queue = LocalQueue(invoke, batch_size=10, visibility_timeout=0.05, concurrency=1)

    def story(client: Any, url: str) -> None:
        entries = [{"Id": "a", "MessageBody": "good"}, {"Id": "b", "MessageBody": "bad"}]
        client.send_message_batch(QueueUrl=url, Entries=entries)

    with_queue(queue, story, until=lambda: not queue.waiting)

    assert counts == {"good": 1, "bad": 3}
    assert queue.dead == []


def test_a_job_that_keeps_failing_ends_in_the_dead_letter_queue() -> None:
    async def invoke(_event: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("always")

    queue = LocalQueue(invoke, visibility_timeout=0.02, max_receives=3)

    with_queue(
        queue, lambda client, url: client.send_message(QueueUrl=url, MessageBody="poison"), lambda: bool(queue.dead)
    )

    assert [(message.body, message.receives) for message in queue.dead] == [("poison", 3)]
    assert queue.waiting == 0


def test_a_message_can_be_hidden_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    monkeypatch.setattr(sqs, "time", SimpleNamespace(monotonic=lambda: moment, time=time.time))
    started, looked, go_on = threading.Event(), threading.Event(), threading.Event()
    deliveries: list[dict[str, Any]] = []

    def invoke(event: dict[str, Any]) -> None:
        deliveries.extend(event["Records"])
        if event["Records"][0]["body"] == "next":
            looked.set()
            return
        started.set()
        go_on.wait(PATIENCE)

    queue = LocalQueue(invoke, visibility_timeout=10, concurrency=2)

    def story(client: Any, url: str) -> None:
        nonlocal moment
        client.send_message(QueueUrl=url, MessageBody="long")
        assert started.wait(PATIENCE)
        receipt = deliveries[0]["receiptHandle"]
        client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=30)
        moment = 20.0
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["ApproximateNumberOfMessagesNotVisible"] == "1"
        client.send_message(QueueUrl=url, MessageBody="next")
        assert looked.wait(PATIENCE), "the queue is looked through in order: the first message was passed over for it"
        go_on.set()

    with_queue(queue, story, until=lambda: not queue.waiting)

    assert [one["body"] for one in deliveries] == ["long", "next"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c, url: c.send_message(QueueUrl=url + "x", MessageBody="a"), "QueueDoesNotExist"),
        (lambda c, url: c.send_message(QueueUrl=url, MessageBody="a" * 1_048_577), "InvalidParameterValue"),
        (lambda c, url: c.purge_queue(QueueUrl=url), "UnsupportedOperation"),
        (
            lambda c, url: c.change_message_visibility(QueueUrl=url, ReceiptHandle="no", VisibilityTimeout=1),
            "ReceiptHandleIsInvalid",
        ),
    ],
)
def test_refusals_are_those_of_sqs(call: Callable[[Any, str], Coroutine[Any, Any, None]], code: str) -> None:
    def story(client: Any, url: str) -> None:
        with pytest.raises(ClientError) as refused:
            call(client, url)
        assert refused.value.response["Error"]["Code"].endswith(code)

    with_queue(LocalQueue(lambda _event: None), story)
