"""DynamoDB on loopback HTTP, for code that talks to it without botocore."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from moto import settings
from moto.server import ThreadedMotoServer


@contextmanager
def serving() -> Iterator[str]:
    """The endpoint URL of an empty DynamoDB, for the time of a `with` block."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    try:
        # The server is in this process, so it has the tables that earlier tests left in moto.
        urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # noqa: S310 - our own server
        yield url
    finally:
        server.stop()
