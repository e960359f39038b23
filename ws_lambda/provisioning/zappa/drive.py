"""`tryout` runs this in a bare interpreter. It loads an unpacked zip as Lambda would, and sends events to it.

It may import only the standard library and what is in the zip, not this package.
"""

import importlib
import importlib.util
import json
import sys
import time
import traceback
from typing import Any

HOST = "tryout.execute-api.eu-west-1.amazonaws.com"
CONNECT: dict[str, Any] = {
    "headers": {"Host": HOST, "Origin": f"https://{HOST}", "User-Agent": "tryout"},
    "multiValueHeaders": {"Host": [HOST], "Origin": [f"https://{HOST}"], "User-Agent": ["tryout"]},
    "queryStringParameters": {"channel": "tryout", "ws_token": "0" * 64},
    "multiValueQueryStringParameters": {"channel": ["tryout"], "ws_token": ["0" * 64]},
    "requestContext": {
        "routeKey": "$connect",
        "eventType": "CONNECT",
        "extendedRequestId": "TRYOUT=",
        "requestTime": "01/Jan/2026:00:00:00 +0000",
        "messageDirection": "IN",
        "stage": "tryout",
        "connectedAt": 1767225600000,
        "requestTimeEpoch": 1767225600000,
        "identity": {"sourceIp": "127.0.0.1", "userAgent": "tryout"},
        "requestId": "TRYOUT=",
        "domainName": HOST,
        "connectionId": "TRYOUTabcdefghi=",
        "apiId": "tryout",
    },
    "isBase64Encoded": False,
}
REQUEST: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/tryout/",
    "rawQueryString": "",
    "headers": {"host": HOST, "x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1", "x-forwarded-port": "443"},
    "requestContext": {
        "apiId": "tryout",
        "domainName": HOST,
        "stage": "tryout",
        "requestId": "TRYOUT=",
        "time": "01/Jan/2026:00:00:00 +0000",
        "timeEpoch": 1767225600000,
        "http": {
            "method": "GET",
            "path": "/tryout/",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "x",
        },
    },
    "isBase64Encoded": False,
}


LATER = (
    "ws_lambda.delivery.curl",
    "ws_lambda.fanout",
    "ws_lambda.housekeeping",
    "ws_lambda.sources.management_command",
)
"""What a function loads when it first sends, or is called by the queue, the schedule or a command."""


class Context:
    """The part of Lambda's context object that handlers use."""

    function_name = "tryout"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:tryout"
    memory_limit_in_mb = 512
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Always 30 seconds."""
        return 30_000


def main(root: str, handler: str, *later: str) -> None:
    """Prints one line of JSON: the times in milliseconds and the answers, or the error."""
    sys.path[:0] = [root, *later]
    started = time.perf_counter()
    found: dict[str, Any] = {}
    try:
        module, _, function = handler.rpartition(".")
        handle = getattr(importlib.import_module(module), function)
        found["import_ms"] = (time.perf_counter() - started) * 1000
        found["connect"] = handle(CONNECT, Context())["statusCode"]
        found["connect_ms"] = (time.perf_counter() - started) * 1000
        found["request"] = handle(REQUEST, Context())["statusCode"]
        for name in LATER:
            importlib.import_module(name)
        if importlib.util.find_spec("zappa"):
            importlib.import_module("zappa.handler")  # for `zappa invoke`, event sources and triggers
        importlib.import_module("ws_lambda.aws").client("sqs")
    except BaseException:
        found["error"] = traceback.format_exc()
    sys.__stdout__.write("\n" + json.dumps(found) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    main(*sys.argv[1:])
