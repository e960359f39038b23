"""DynamoDB on loopback HTTP, for code that talks to it without botocore."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.request import Request, urlopen

from moto import settings
from moto.server import ThreadedMotoServer

from ws_lambda.models import all_tables
from ws_lambda.testing import moto_tables
from ws_lambda.testing.dynamodb_clients import clients


@contextmanager
def serving() -> Iterator[str]:
    """The endpoint URL of an empty DynamoDB, for the time of a `with` block."""
    url = _url()
    # The server is in this process, so it has the tables that earlier tests left in moto.
    urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # noqa: S310 - our own server
    yield url


@contextmanager
def empty_tables() -> Iterator[list[str]]:
    """All tables, empty, on the server, which AWS_ENDPOINT_URL_DYNAMODB names. The value is the list of requests."""
    with clients() as requests:
        moto_tables.create(all_tables())  # the server is in this process
        requests.clear()
        yield requests


@cache
def _url() -> str:
    """Starts the server, once in a process: that takes longer than most tests."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    atexit.register(server.stop)
    return "http://{}:{}".format(*server.get_host_and_port())
