"""Empty tables for a test in a moment, on the DynamoDB that the tests run on.

Making them with botocore takes 200 to 400 ms, longer than most tests. So each is made once like that; afterwards moto
gets a copy of the new table, and a server the bytes that it was sent the first time.
"""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from tests import engines
from ws_lambda import aws
from ws_lambda.tables import shared_connection
from ws_lambda.tables.table import Table
from ws_lambda.testing import moto_tables

_Request = tuple[str, bytes]
_asked: dict[tuple[type[Table], str], list[_Request]] = {}
"""What made the table of a class and a name: operations with their bodies."""

_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
    "X-Amz-Date": "20260101T000000Z",
}
"""DynamoDB Local wants a signature of this form, and does not check it."""


def create(*models: type[Table]) -> None:
    """Makes those that are not there yet."""
    if not engines.real():
        return moto_tables.create(models)
    for model in models:
        key = model, model.Meta.table_name
        if key not in _asked:
            _asked[key] = _first_time(model)
        elif _ask(*_asked[key][0], or_else="ResourceInUseException"):
            for again in _asked[key][1:]:
                _ask(*again)


def drop_all() -> None:
    """Leaves the server as empty as it started."""
    while names := _ask("ListTables", b"{}")["TableNames"]:
        for name in names:
            _ask("DeleteTable", json.dumps({"TableName": name}).encode())


def _first_time(model: type[Table]) -> list[_Request]:
    asked: list[_Request] = []

    def note(model: Any, params: dict[str, Any], **_kwargs: Any) -> None:
        if model.name != "DescribeTable":
            asked.append((model.name, params["body"]))

    events = aws.session().get_component("event_emitter")
    shared_connection.forget_connection()  # clients know the events of their session at the time when they are made
    events.register("before-call.dynamodb", note)
    try:
        model.create_table(billing_mode="PAY_PER_REQUEST")
    finally:
        events.unregister("before-call.dynamodb", note)
        shared_connection.forget_connection()
    return asked


def _ask(operation: str, body: bytes, or_else: str = "") -> Any:
    """The server's answer; None if that is an error of this code."""
    server = http.client.HTTPConnection(urlsplit(engines.endpoint()).netloc)
    try:
        server.request("POST", "/", body, {**_HEADERS, "X-Amz-Target": f"DynamoDB_20120810.{operation}"})
        answer = server.getresponse()
        said = json.loads(answer.read())
    finally:
        server.close()
    if answer.status == 200:
        return said
    assert or_else and said["__type"].endswith(or_else), said
    return None
