"""@connections, called by an unmodified boto3 client."""

import http.client
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from tests.conformance.facts import fact
from tests.conformance.target import PATIENCE

GONE = "AAAAAAAAAAAAAAA="


def call(api, method, connection_id, *, body=b"", encoded="", service="execute-api", tamper=None):
    """Sends a request that botocore has signed. Returns the status, the error type and the decoded body."""
    url = f"{api.endpoint}/@connections/{encoded or quote(connection_id, safe='')}"
    request = AWSRequest(method=method, url=url, data=body, headers={"Content-Type": "application/octet-stream"})
    credentials = boto3.Session(*api.keys).get_credentials()
    SigV4Auth(credentials, service, "eu-west-1").add_auth(request)
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    connection.request(method, parts.path, tamper or body, dict(request.headers))
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers.get("x-amzn-ErrorType"), json.loads(text) if text else None


@fact("M", "@connections: POST answers 200 and the client gets a text frame")
def test_post(api):
    with api.open() as client:
        answer = api.management().post_to_connection(ConnectionId=client.connection_id, Data=b'{"a": 1}')
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert client.receive() == '{"a": 1}'


@fact("X", "@connections: invalid UTF-8 reaches the client as U+FFFD")
def test_invalid_utf8(api):
    with api.open() as client:
        api.management().post_to_connection(ConnectionId=client.connection_id, Data=b"a\xffb")
        assert client.receive() == "a\ufffdb"


@fact("M", "@connections: GET answers connectedAt, identity and lastActiveAt")
def test_get(api):
    with api.open(user_agent_header="agent/1") as client:
        answer = api.management().get_connection(ConnectionId=client.connection_id)
    assert answer["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "agent/1"}
    assert abs(datetime.now(UTC) - answer["ConnectedAt"]) < timedelta(minutes=1)
    assert answer["LastActiveAt"] >= answer["ConnectedAt"]


@fact("M", "@connections: GET's keys are lowerCamel and its times ISO 8601")
def test_get_keys(api):
    with api.open() as client:
        _, _, body = call(api, "GET", client.connection_id)
    assert set(body) == {"connectedAt", "identity", "lastActiveAt"}
    assert "sourceIp" in body["identity"]
    assert datetime.fromisoformat(body["connectedAt"])


@fact("M", "@connections: DELETE answers 204")
def test_delete(api):
    with api.open() as client:
        answer = api.management().delete_connection(ConnectionId=client.connection_id)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


@fact("M", "@connections: an unknown connection is a GoneException, 410")
@pytest.mark.parametrize("operation", ["post_to_connection", "get_connection", "delete_connection"])
def test_gone(api, operation):
    client = api.management()
    arguments = {"ConnectionId": GONE} | ({"Data": b"x"} if operation == "post_to_connection" else {})
    with pytest.raises(client.exceptions.GoneException) as gone:
        getattr(client, operation)(**arguments)
    assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410


@fact("M", "@connections: a closed connection is gone")
def test_gone_after_close(api):
    with api.open() as client:
        connection_id = client.connection_id
        api.management().delete_connection(ConnectionId=connection_id)
        client.closed()
    assert call(api, "POST", connection_id, body=b"x")[0] == 410


@fact("M", "@connections: the error type is in the header x-amzn-ErrorType")
def test_error_type(api):
    assert call(api, "POST", GONE, body=b"x")[:2] == (410, "GoneException")


@fact("M", "@connections: 131,072 bytes are taken")
def test_largest(api):
    with api.open() as client:
        api.management().post_to_connection(ConnectionId=client.connection_id, Data=b"x" * 131_072)
        assert len(client.receive()) == 131_072


@fact("M", "@connections: one byte more is a PayloadTooLargeException, 413")
def test_too_large(api):
    with api.open() as client:
        management = api.management()
        with pytest.raises(management.exceptions.PayloadTooLargeException) as refused:
            management.post_to_connection(ConnectionId=client.connection_id, Data=b"x" * 131_073)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
        client.is_silent()


@fact("M", "@connections: a client whose buffer is full is a LimitExceededException, 429")
def test_buffer_full(api):
    with api.open(max_queue=1) as client:  # reads one message, and then no more
        management = api.management()
        with pytest.raises(management.exceptions.LimitExceededException) as refused:
            for _ in range(300):
                management.post_to_connection(ConnectionId=client.connection_id, Data=b"x" * 131_072)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        management.delete_connection(ConnectionId=client.connection_id)
        client.socket.socket.close()


@fact("D", "@connections: an unsigned request is forbidden, 403")
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_unsigned(api, method):
    parts = urlsplit(api.endpoint)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    connection.request(method, f"{parts.path}/@connections/{quote(GONE)}", b"x")
    answer = connection.getresponse()
    assert answer.status == 403
    connection.close()


@fact("M", "@connections: a wrong secret is a ForbiddenException, 403")
def test_wrong_secret(api):
    client = api.management(aws_secret_access_key="wrong")
    with pytest.raises(ClientError) as refused:
        client.post_to_connection(ConnectionId=GONE, Data=b"x")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refused.value.response["Error"]["Code"] == "ForbiddenException"


@fact("D", "@connections: the signature covers the body")
def test_tampered_body(api):
    assert call(api, "POST", GONE, body=b"good", tamper=b"evil")[0] == 403


@fact("D", "@connections: the signing name is execute-api")
def test_wrong_service(api):
    assert call(api, "POST", GONE, body=b"x", service="dynamodb")[0] == 403


@fact("D", "@connections: the id is percent-encoded in the path")
def test_encoded_id(api):
    with api.open() as client:
        encoded = "".join(f"%{byte:02X}" for byte in client.connection_id.encode())
        assert call(api, "POST", client.connection_id, encoded=encoded, body=b"hello")[0] == 200
        assert client.receive() == "hello"


@fact("D", "@connections: another stage's path is forbidden")
def test_other_stage(api):
    parts = urlsplit(api.endpoint)
    other = boto3.client(
        "apigatewaymanagementapi", endpoint_url=f"{parts.scheme}://{parts.netloc}/elsewhere", region_name="eu-west-1",
        aws_access_key_id=api.keys[0], aws_secret_access_key=api.keys[1],
    )  # fmt: skip
    with pytest.raises(ClientError) as refused:
        other.get_connection(ConnectionId=GONE)
    other.close()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404)
