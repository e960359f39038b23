"""The function behind the gateway under test. It does what a message tells it, and records its events.

It stands alone, for it is also packed and deployed to other gateways.
"""

import json
import os
import time


def handler(event, context):
    return run(event, os.environ["EVENTS_FILE"])


def run(event, events_file):
    with open(events_file, "a") as file:  # noqa: PTH123 - needs nothing but the file
        file.write(json.dumps(event) + "\n")
    do = _orders(event)
    if "sleep" in do:
        time.sleep(do["sleep"])
    if do.get("raise"):
        raise RuntimeError("as told")
    if "answer" in do:
        return do["answer"]
    if event["requestContext"].get("eventType") == "MESSAGE":
        return {"statusCode": 200, "body": json.dumps(event)}
    return {"statusCode": 200}


def _orders(event):
    if event["requestContext"].get("eventType") == "CONNECT":
        return json.loads((event.get("queryStringParameters") or {}).get("do", "{}"))
    try:
        body = json.loads(event.get("body") or "{}")
    except ValueError:
        return {}
    return body.get("do", {}) if isinstance(body, dict) else {}
