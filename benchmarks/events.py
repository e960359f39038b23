"""Sends events through the real handler, as a deployed function would: `python -m benchmarks.events`."""

import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto import mock_aws

ROUNDS, EVENTS = 20, 200


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def main() -> None:
    said = sys.stdout
    # Logs and metrics are written, as on Lambda, and read by nobody.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), mock_aws():
        from ws_lambda import aws

        sent: list[str] = []
        aws.session().register("request-created", lambda event_name, **_: sent.append(event_name))
        from ws_lambda.lambda_handler import handler

        result = {**_calls(handler, sent), "message_cpu_ms": _message_cpu(handler)}
    said.write(json.dumps(result) + "\n")


def _calls(handler: Callable[..., Any], sent: list[str]) -> dict[str, int]:
    """Requests to AWS of a connect with a token, of a message, of a disconnect."""
    from django.contrib.auth import get_user_model

    from tests.golden import golden
    from ws_lambda.models import WebSocketToken, all_tables

    for table in all_tables():
        table.create_table(billing_mode="PAY_PER_REQUEST")
    user = get_user_model().objects.create_user("red", password="red-demo")
    host = golden("connect")["requestContext"]["domainName"]

    def connect(connection_id: str) -> dict[str, Any]:
        token = WebSocketToken.mint(
            user_id=str(user.pk),
            auth_backend="ws_lambda.users.backends.DynamoDBBackend",
            auth_hash=user.get_session_auth_hash(),
            session_key="benchmark",
        )
        event: dict[str, Any] = golden("connect", connectionId=connection_id, connectedAt=int(time.time() * 1000))
        event["headers"] = {"Host": host, "Origin": f"https://{host}"}
        event["queryStringParameters"] = {"channel": "general", "ws_token": token}
        event["multiValueQueryStringParameters"] = {"channel": ["general"], "ws_token": [token]}
        return event

    # A process reads channel permissions and gateways once in a while; that is no part of an event's cost.
    handler(connect("WARM="), Context())
    message = _message()
    events = {
        "connect": connect(message["requestContext"]["connectionId"]),
        "message": message,
        "disconnect": golden("disconnect_client"),
    }
    found = {}
    for kind, event in events.items():
        sent.clear()
        answer = handler(event, Context())
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{kind}: {answer}")
        found[f"{kind}_calls"] = len(sent)
    return found


def _message_cpu(handler: Callable[..., Any]) -> float:
    """Milliseconds of CPU of a message, DynamoDB's answer given: the median of rounds."""
    from tests.golden import golden
    from ws_lambda.tables import shared_connection

    event = _message()
    session = {
        "connection_id": {"S": event["requestContext"]["connectionId"]},
        "api_id": {"S": event["requestContext"]["apiId"]},
        "connected": {"BOOL": True},
        "connected_at": {"N": str(golden("connect")["requestContext"]["connectedAt"])},
        "last_seen_at": {"N": str(int(time.time() * 1000))},
        "previous_seen_at": {"N": str(int(time.time() * 1000))},
        "channel_name": {"S": "general"},
        "channels": {"SS": ["general"]},
        "endpoint_url": {"S": "https://abc123.execute-api.eu-west-1.amazonaws.com/dev"},
        "user_id": {"S": "red"},
        "auth_backend": {"S": "ws_lambda.users.backends.DynamoDBBackend"},
        "auth_hash": {"S": "0" * 64},
        "session_key_hash": {"S": "0" * 64},
        "request_count": {"N": "1"},
        "message_windows": {"M": {}},
        "live_shard": {"S": "0"},
        "source_ip": {"S": "203.0.113.9"},
        "user_agent": {"S": "benchmark"},
        "expires_at": {"N": str(int(time.time()) + 7200)},
    }
    answer = {"Attributes": session}
    shared_connection.connection().dispatch = lambda operation, request, **_: answer  # type: ignore[method-assign]
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(EVENTS):
            handler(event, Context())
        taken.append((time.process_time() - started) / EVENTS * 1000)
    return round(statistics.median(taken), 3)


def _message() -> dict[str, Any]:
    from tests.golden import golden

    event: dict[str, Any] = golden("message")
    event["body"] = json.dumps({"action": "chat", "message": "hello everyone"})
    return event


if __name__ == "__main__":
    main()
