"""Requests without botocore's client: what they ask, and what they raise."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError

from tests import local_dynamodb
from ws_lambda import aws
from ws_lambda.testing.quick_requests import requests_to


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """DynamoDB as `ws_local` runs it, which checks signatures."""
    with local_dynamodb.running() as server:
        yield server.url


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_dynamodb.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", local_dynamodb.SECRET)
    aws.forget()
    yield
    aws.forget()


def test_several_signed_requests_over_one_connection(server: str) -> None:
    with requests_to(server) as ask:
        assert [ask("ListTables"), ask("ListTables", Limit=1)] == [{"TableNames": []}] * 2


def test_a_connection_that_the_engine_has_closed_is_opened_again() -> None:
    answered = b'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"TableNames": []}'
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(2):
                one, _address = listening.accept()
                with one:
                    one.recv(65_536)
                    one.sendall(answered)

        serving = threading.Thread(target=serve)
        serving.start()
        with requests_to(f"http://127.0.0.1:{listening.getsockname()[1]}") as ask:
            assert ask("ListTables") == ask("ListTables") == {"TableNames": []}
        serving.join()


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """An endpoint that gives these answers, one for each connection. After an empty one it stays silent."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                one, _address = listening.accept()
                with one:
                    one.recv(65_536)
                    one.sendall(answer)
                    if not answer:
                        done.wait(10)

        listening.settimeout(5)
        serving = threading.Thread(target=serve)
        serving.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        serving.join()


def answer(status: int, body: str) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ws_lambda.retrying.time.sleep", lambda _seconds: None)


@pytest.mark.parametrize(
    "busy",
    [
        answer(500, '{"__type": "com.amazonaws#InternalServerError"}'),
        answer(503, "<html>"),
        answer(400, '{"__type": "com.amazonaws#ThrottlingException"}'),
        answer(400, '{"__type": "com.amazonaws#ProvisionedThroughputExceededException"}'),
    ],
)
def test_a_busy_endpoint_is_asked_again(busy: bytes, quick: None) -> None:
    with answering(busy, busy, answer(200, "{}")) as url, requests_to(url) as ask:
        assert ask("ListTables") == {}


def test_an_endpoint_that_stays_broken_is_an_error(quick: None) -> None:
    with (
        answering(*[answer(502, "<h1>Bad gateway")] * 8) as url,
        requests_to(url) as ask,
        pytest.raises(ClientError, match=rf"{url} answered with status 502 and no JSON: <h1>Bad gateway"),
    ):
        ask("ListTables")


@pytest.mark.parametrize("status", [200, 404])
def test_a_server_of_something_else_is_named(status: int) -> None:
    with (
        answering(answer(status, "<h1>Hello")) as url,
        requests_to(url) as ask,
        pytest.raises(ClientError, match=rf"{url} answered with status {status} and no JSON"),
    ):
        ask("ListTables")


@pytest.mark.parametrize("key", ["message", "Message"])
def test_either_spelling_of_a_message_is_read(key: str) -> None:
    body = json.dumps({"__type": "com.amazonaws#ValidationException", key: "Too long"})
    with (
        answering(answer(400, body)) as url,
        requests_to(url) as ask,
        pytest.raises(ClientError, match=r"ValidationException.*Too long"),
    ):
        ask("ListTables")


def test_an_endpoint_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with requests_to(url) as ask, pytest.raises(ConnectionError, match=rf"{url} .*AWS_ENDPOINT_URL_DYNAMODB"):
        ask("ListTables")


def test_a_silent_endpoint_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "READ_SECONDS", 0.1)
    with (
        answering(b"") as url,
        requests_to(url) as ask,
        pytest.raises(ConnectionError, match=rf"No DynamoDB answers at {url} \(timed out\)"),
    ):
        ask("ListTables")


def test_an_error_is_botocores_own(server: str) -> None:
    with requests_to(server) as ask, pytest.raises(ClientError, match="Scan") as refused:
        ask("Scan", TableName="missing")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_wrong_secret_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    aws.forget()
    with requests_to(server) as ask, pytest.raises(ClientError):
        ask("ListTables")


def test_an_endpoint_elsewhere_is_left_to_botocores_client(no_tables: None) -> None:
    with requests_to("https://dynamodb.eu-west-1.amazonaws.com") as ask:
        assert "missing" not in ask("ListTables")["TableNames"]
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            ask("Scan", TableName="missing")
