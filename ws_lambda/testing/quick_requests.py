"""Requests to a local DynamoDB in a tenth of the time that botocore's client takes."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from ws_lambda import aws

Ask = Callable[..., dict[str, Any]]
"""Makes one request: `ask("Scan", TableName="sessions")`. Raises ClientError if the answer is an error."""


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
    with closing(HTTPConnection(urlsplit(endpoint).netloc)) as connection:
        yield partial(_ask, connection, signer, endpoint)


def requests_of(client: Any) -> Ask:
    """Makes requests with a client of botocore."""
    return lambda operation, **parameters: getattr(client, xform_name(operation))(**parameters)


def _ask(
    connection: HTTPConnection, signer: SigV4Auth, endpoint: str, operation: str, **parameters: Any
) -> dict[str, Any]:
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    request = AWSRequest("POST", endpoint, data=json.dumps(parameters), headers=headers)
    signer.add_auth(request)
    path = urlsplit(endpoint).path or "/"
    status, body = _exchange(connection, "POST", path, request.data, dict(request.headers.items()))
    answer: dict[str, Any] = json.loads(body)
    if status != 200:
        code = str(answer.get("__type")).rpartition("#")[2]
        raise ClientError({"Error": {"Code": code, "Message": str(answer.get("message"))}}, operation)
    return answer


def _exchange(connection: HTTPConnection, *request: Any) -> tuple[int, bytes]:
    try:
        connection.request(*request)
        response = connection.getresponse()
    except ConnectionError:  # the engine has closed it, because it was idle
        connection.close()
        connection.request(*request)
        response = connection.getresponse()
    return response.status, response.read()
