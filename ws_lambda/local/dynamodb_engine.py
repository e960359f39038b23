"""moto's DynamoDB and nothing else of moto, asked directly instead of through its server."""

import base64
import io
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ws_lambda.local import moto_direct
from ws_lambda.local.moto_expressions import quick_expressions
from ws_lambda.local.moto_transactions import frugal_transactions

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET = "DynamoDB_20120810."
OPERATIONS = frozenset(
    {
        "BatchGetItem", "BatchWriteItem", "CreateTable", "DeleteItem", "DeleteTable", "DescribeTable",
        "DescribeTimeToLive", "GetItem", "ListTables", "ListTagsOfResource", "PutItem", "Query", "Scan",
        "TagResource", "TransactGetItems", "TransactWriteItems", "UntagResource", "UpdateItem", "UpdateTable",
        "UpdateTimeToLive",
    }
)  # fmt: skip
"""The operations that the package, its commands and PynamoDB use. No PartiQL, backups, imports, exports or streams."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of DynamoDB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Engine:
    """Tables in memory. Requests take turns, because moto undoes a failed transaction together with everything that
    other threads have written meanwhile.
    """

    def __init__(self) -> None:
        from moto.core.request import Request
        from moto.dynamodb.responses import DynamoHandler

        self._make_request: Callable[[dict[str, Any]], Any] = Request
        self._dispatch: Callable[..., tuple[int, Mapping[str, Any], Any]] = DynamoHandler.dispatch
        self._turns = threading.Lock()
        self._patches = ExitStack()  # kept, because they are undone when they are garbage-collected
        self._patches.enter_context(frugal_transactions())
        self._patches.enter_context(quick_expressions())

    def answer(self, operation: str, authorization: str, body: bytes) -> Answer:
        """Carries out one operation.

        Args:
            authorization: the header with the signature. moto reads the region from it.
        """
        with self._turns:
            return self._quickly(operation, authorization, body) or self._at_length(operation, authorization, body)

    def _quickly(self, operation: str, authorization: str, body: bytes) -> Answer | None:
        """The answer, or None if the request has to go through moto's HTTP layer: it fails, or is unsupported."""
        if operation not in moto_direct.OPERATIONS or moto_direct.has_binary(body):
            return None
        try:
            said = moto_direct.ask(operation, json.loads(body), authorization.split("/")[2])
        except Exception:
            return None
        return Answer(200, {}, json.dumps(said, default=_encoded).encode())

    def _at_length(self, operation: str, authorization: str, body: bytes) -> Answer:
        # Built only from what has been checked: moto would also obey other headers and a query string.
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "dynamodb",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": CONTENT_TYPE,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "dynamodb",
            "HTTP_AUTHORIZATION": authorization,
            "HTTP_X_AMZ_TARGET": TARGET + operation,
        }
        request = self._make_request(environ)
        status, headers, said = self._dispatch(request, "http://dynamodb/", dict(request.headers))
        text = said if isinstance(said, bytes) else str(said).encode()
        return Answer(int(status), {name: str(value) for name, value in headers.items()}, text)


def _encoded(value: Any) -> str:
    """A binary value in JSON."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be stored in DynamoDB.")
