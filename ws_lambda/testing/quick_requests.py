"""Requests to a local DynamoDB in a tenth of the time that botocore's client takes."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import BadStatusLine, HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from ws_lambda import aws
from ws_lambda.retrying import Retry

Ask = Callable[..., dict[str, Any]]
"""Makes one request: `ask("Scan", TableName="sessions")`.

Raises ClientError if the answer is an error, and ConnectionError if there is none.
"""

_RETRY = Retry(base=0.05, attempts=8)
"""For throttled requests and errors of the server."""


class _Busy(ClientError):
    """An error that another attempt may not meet."""


@contextmanager
def requests_to(endpoint: str) -> Iterator[Ask]:
    """Makes requests over one connection, for the time of a `with` block.

    Engines on this machine are reached by plain HTTP. Any other endpoint needs all that botocore's client knows about
    TLS, proxies and throttling, so the client is used.
    """
    if urlsplit(endpoint).scheme != "http":
        yield requests_of(aws.client("dynamodb"))
        return
    credentials: Any = aws.session().get_credentials()
    signer = SigV4Auth(credentials, "dynamodb", aws.region())
    with closing(HTTPConnection(urlsplit(endpoint).netloc, timeout=aws.CONNECT_SECONDS)) as connection:
        yield partial(_ask, connection, signer, endpoint)


def requests_of(client: Any) -> Ask:
    """Makes requests with a client of botocore."""
    return lambda operation, **parameters: getattr(client, xform_name(operation))(**parameters)


def _ask(
    connection: HTTPConnection, signer: SigV4Auth, endpoint: str, operation: str, **parameters: Any
) -> dict[str, Any]:
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    path = urlsplit(endpoint).path or "/"

    def attempt() -> dict[str, Any]:
        request = AWSRequest("POST", endpoint, data=json.dumps(parameters), headers=headers)
        signer.add_auth(request)
        try:
            status, body = _exchange(connection, "POST", path, request.data, dict(request.headers.items()))
        except (OSError, HTTPException) as error:
            connection.close()
            raise ConnectionError(
                f"No DynamoDB answers at {endpoint} ({error or type(error).__name__}). Start it there, or unset "
                "AWS_ENDPOINT_URL_DYNAMODB to have the tables in memory."
            ) from error
        return _read(endpoint, operation, status, body)

    return _RETRY.call(attempt, _Busy)


def _read(endpoint: str, operation: str, status: int, body: bytes) -> dict[str, Any]:
    """The answer to a request, or its error."""
    try:
        answer: Any = json.loads(body)
    except ValueError:
        answer = None
    if status == 200 and isinstance(answer, dict):
        return answer
    if not isinstance(answer, dict):
        text = body[:200].decode(errors="replace")
        answer = {"__type": str(status), "message": f"{endpoint} answered with status {status} and no JSON: {text}"}
    code = str(answer.get("__type")).rpartition("#")[2]
    message = str(answer.get("message") or answer.get("Message"))
    kind = _Busy if status >= 500 or code in aws.THROTTLED else ClientError
    raise kind({"Error": {"Code": code, "Message": message}}, operation)


def _exchange(connection: HTTPConnection, *request: Any) -> tuple[int, bytes]:
    used = connection.sock is not None
    try:
        return _exchange_once(connection, *request)
    except (ConnectionError, BadStatusLine):
        connection.close()
        if not used:
            raise
    return _exchange_once(connection, *request)  # the engine has closed the connection, because it was idle


def _exchange_once(connection: HTTPConnection, *request: Any) -> tuple[int, bytes]:
    if connection.sock is None:
        connection.connect()
        connected: Any = connection.sock
        connected.settimeout(aws.READ_SECONDS)
    connection.request(*request)
    response = connection.getresponse()
    return response.status, response.read()
