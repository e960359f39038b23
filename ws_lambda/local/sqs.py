"""The fan-out queue in memory: SQS for unmodified clients, and the mapping that invokes the function.

    queue = LocalQueue(invoke)
    queue.mount(app, "/_sqs", keys)  # AWS_ENDPOINT_URL_SQS=http://127.0.0.1:8001/_sqs
    await queue.start()

As on AWS, a message is delivered at least once. If its invocation failed, raised or was killed, it comes back after the
visibility timeout, and after `max_receives` deliveries it ends in `dead`. It is a standard queue, without order.
"""

import asyncio
import inspect
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from ws_lambda import clock
from ws_lambda.local import sigv4
from ws_lambda.local.loopback import from_a_page
from ws_lambda.local.signed_request import as_signed

logger = logging.getLogger("ws_lambda.local.sqs")

Event = dict[str, Any]
Invoke = Callable[[Event], Awaitable[Event | None] | Event | None]

MAX_BYTES: Final = 1_048_576
"""The most for a message, and for a whole batch.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

ACCOUNT: Final = "000000000000"
_IDLE = 0.02


@dataclass(slots=True, eq=False)
class Message:
    """A message on the queue."""

    body: str
    message_id: str = field(default_factory=lambda: str(uuid4()))
    receipt: str = ""
    """The receipt handle of the last delivery. Earlier ones are void."""

    receives: int = 0
    visible_at: float = 0.0
    """A `time.monotonic()`. The message is invisible before, as while an invocation has it."""

    sent_at: int = field(default_factory=lambda: int(time.time() * 1000))


class LocalQueue:
    """A queue with its event source mapping and its dead letters."""

    def __init__(
        self,
        invoke: Invoke,
        *,
        name: str = "fanout",
        region: str = "eu-west-1",
        visibility_timeout: float = 60.0,
        max_receives: int = 5,
        batch_size: int = 1,
        concurrency: int = 2,
    ) -> None:
        """
        Args:
            invoke: the function, called with an SQS event. It runs in a thread if it is not a coroutine function.
            visibility_timeout: seconds until a message comes back that was not deleted.
            concurrency: how many invocations may run at the same time.
        """
        self.name = name
        self.dead: list[Message] = []
        """Messages given up after `max_receives` deliveries."""

        self._invoke = invoke
        self._arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
        self._visibility_timeout = visibility_timeout
        self._max_receives = max_receives
        self._batch_size = batch_size
        self._concurrency = concurrency
        self._keys: Mapping[str, str] = {}
        self._messages: dict[str, Message] = {}
        self._pollers: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        """How many messages are on the queue, including those that an invocation has."""
        return len(self._messages)

    def url(self, base: str) -> str:
        """The URL of the queue, below the endpoint that it is mounted at."""
        return f"{base.rstrip('/')}/{ACCOUNT}/{self.name}"

    def mount(self, app: web.Application, path: str, keys: Mapping[str, str]) -> None:
        """Serves the protocol of SQS at a path of an application, which is the endpoint for clients.

        Args:
            keys: access keys and their secrets. Requests must be signed with one of them.
        """
        self._keys = keys
        app.router.add_post(path.rstrip("/") + "/", self._serve)
        app.router.add_post(path.rstrip("/") or "/", self._serve)

    async def start(self) -> None:
        """Begins to invoke the function with the messages on the queue."""
        self._pollers = [asyncio.create_task(self._poll()) for _ in range(self._concurrency)]

    async def stop(self) -> None:
        """Stops. Messages that are still on the queue are lost, because they are in memory."""
        for poller in self._pollers:
            poller.cancel()
        await asyncio.gather(*self._pollers, return_exceptions=True)

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            if wrong := from_a_page(request.headers):
                raise sigv4.BadSignatureError(wrong)
            sigv4.verify(await as_signed(request), self._keys, service="sqs", now=clock.now())
        except sigv4.BadSignatureError as unsigned:
            return _error("InvalidSignature", str(unsigned), status=403)
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            asked = json.loads(await request.read())
            if str(asked.get("QueueUrl", "")).rpartition("/")[2] != self.name:
                raise _SqsError("QueueDoesNotExist", "The specified queue does not exist.")
            match operation:
                case "SendMessage":
                    answer = self._send(asked["MessageBody"])
                case "SendMessageBatch":
                    answer = self._send_batch(asked["Entries"])
                case "ChangeMessageVisibility":
                    answer = self._change_visibility(asked["ReceiptHandle"], asked["VisibilityTimeout"])
                case "GetQueueAttributes":
                    answer = {"Attributes": self._attributes()}
                case _:
                    raise _SqsError(
                        "UnsupportedOperation",
                        f"The local queue does not have the operation {operation or 'asked for'}.",
                    )
        except (ValueError, KeyError, AttributeError) as wrong:
            return _error("InvalidParameterValue", str(wrong))
        except _SqsError as refused:
            return _error(refused.code, str(refused))
        return web.json_response(answer, content_type="application/x-amz-json-1.0")

    def _send(self, body: str) -> Event:
        _check_size(len(body.encode()))
        message = Message(body)
        self._messages[message.message_id] = message
        return {"MessageId": message.message_id, "MD5OfMessageBody": _md5(body)}

    def _send_batch(self, entries: list[dict[str, Any]]) -> Event:
        if not 1 <= len(entries) <= 10:
            raise _SqsError("TooManyEntriesInBatchRequest", "A batch has 1 to 10 entries.")
        _check_size(sum(len(one["MessageBody"].encode()) for one in entries))
        sent = [{"Id": one["Id"], **self._send(one["MessageBody"])} for one in entries]
        return {"Successful": sent, "Failed": []}

    def _change_visibility(self, receipt: str, seconds: int) -> Event:
        for message in self._messages.values():
            if message.receipt == receipt:
                message.visible_at = time.monotonic() + seconds
                return {}
        raise _SqsError("ReceiptHandleIsInvalid", "The message is deleted, or was received again.")

    def _attributes(self) -> dict[str, str]:
        now = time.monotonic()
        hidden = sum(message.visible_at > now for message in self._messages.values())
        return {
            "QueueArn": self._arn,
            "ApproximateNumberOfMessages": str(len(self._messages) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "VisibilityTimeout": str(int(self._visibility_timeout)),
        }

    async def _poll(self) -> None:
        while True:
            if batch := self._receive():
                await self._deliver(batch)
            else:
                await asyncio.sleep(_IDLE)

    def _receive(self) -> list[Message]:
        now = time.monotonic()
        batch: list[Message] = []
        for message in list(self._messages.values()):
            if len(batch) == self._batch_size:
                break
            if message.visible_at > now:
                continue
            if message.receives >= self._max_receives:
                self.dead.append(self._messages.pop(message.message_id))
                logger.error("message %s given up after %d deliveries", message.message_id, message.receives)
                continue
            message.receives += 1
            message.receipt = uuid4().hex
            message.visible_at = now + self._visibility_timeout
            batch.append(message)
        return batch

    async def _deliver(self, batch: list[Message]) -> None:
        """Invokes the function with a batch, and deletes the messages that it does not report as failed."""
        event = {"Records": [self._record(message) for message in batch]}
        receipts = {message.message_id: message.receipt for message in batch}
        try:
            if inspect.iscoroutinefunction(self._invoke):
                answer = await self._invoke(event)
            else:
                answer = await asyncio.to_thread(self._invoke, event)
                if inspect.isawaitable(answer):
                    answer = await answer
            failed = {one["itemIdentifier"] for one in (answer or {}).get("batchItemFailures", [])}
        except Exception as error:
            logger.warning("the function failed on a batch of %d: %s", len(batch), type(error).__name__)
            return
        for message_id, receipt in receipts.items():
            message = self._messages.get(message_id)
            if message_id not in failed and message is not None and message.receipt == receipt:
                del self._messages[message_id]

    def _record(self, message: Message) -> Event:
        return {
            "messageId": message.message_id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(message.sent_at),
                "SenderId": ACCOUNT,
                "ApproximateFirstReceiveTimestamp": str(message.sent_at),
            },
            "messageAttributes": {},
            "md5OfBody": _md5(message.body),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._arn.split(":")[3],
        }


class _SqsError(Exception):
    """An error that SQS answers."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise _SqsError("InvalidParameterValue", f"{size} bytes are more than the {MAX_BYTES} that SQS accepts.")


def _md5(body: str) -> str:
    return md5(body.encode(), usedforsecurity=False).hexdigest()


def _error(code: str, message: str, status: int = 400) -> web.Response:
    return web.json_response(
        {"__type": f"com.amazonaws.sqs#{code}", "message": message},
        status=status,
        content_type="application/x-amz-json-1.0",
    )
