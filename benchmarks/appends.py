"""Appends to one channel from many threads, DynamoDB 10 ms away: `python -m benchmarks.appends`."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moto import mock_aws

SECONDS = 0.01
WRITERS = (1, 5, 20, 50)
MESSAGES = 100
"""In all, whoever writes them."""


def main() -> None:
    import django

    django.setup()
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        print(json.dumps({"append": _measured()}))


def _measured() -> list[dict[str, Any]]:
    from ws_lambda.models import ChannelMessage
    from ws_lambda.tables.shared_connection import SharedConnection

    sent: list[str] = []
    turns = threading.Lock()
    make = SharedConnection._make_api_call

    def far(self: SharedConnection, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        sent.append(operation)
        time.sleep(SECONDS)
        with turns:  # moto is not made for threads
            return make(self, operation, request)

    ChannelMessage.create_table(billing_mode="PAY_PER_REQUEST")
    SharedConnection._make_api_call = far  # type: ignore[method-assign]
    return [_with(writers, sent) for writers in WRITERS]


def _with(writers: int, sent: list[str]) -> dict[str, Any]:
    from ws_lambda.models import ChannelMessage

    channel = f"writers-{writers}"

    def write(number: int) -> int:
        return int(ChannelMessage.append(channel, {"number": number}).sequence)

    sent.clear()
    with ThreadPoolExecutor(writers) as pool:
        numbers = sorted(pool.map(write, range(MESSAGES)))
    requests = len(sent)
    if numbers != list(range(numbers[0], numbers[0] + MESSAGES)):
        raise RuntimeError("A message was lost, or stored twice.")
    return {"writers": writers, "requests_per_message": round(requests / MESSAGES, 2)}


if __name__ == "__main__":
    main()
