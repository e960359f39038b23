"""Requests without botocore's client: what they ask, and what they raise."""

import socket
import threading
from collections.abc import Iterator

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
