"""A pytest plugin: tests send requests to this machine only. API Gateway's own host names are not on it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.far_side import STATUS_BODY
from ws_lambda import delivery
from ws_lambda.delivery import curl

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_elsewhere: list[str] = []


class Everyone:
    """A `delivery.Transport` to an API Gateway on which every connection is open."""

    grace_period = 0

    def exchange(self, request: delivery.Request) -> delivery.Response:
        if request.method == "GET":
            return delivery.Response(200, STATUS_BODY)
        return delivery.Response(204 if request.method == "DELETE" else 200)


@pytest.fixture
def everyone_open() -> Iterator[None]:
    """Requests to `@connections` are answered in this process, as if every connection were open."""
    with delivery.using_transport(Everyone()):
        yield


def pytest_collection_finish() -> None:
    load = curl._Handle.load

    def note_and_load(handle: Any, request: delivery.Request) -> None:
        host = urlsplit(request.url).hostname
        if host and host not in LOOPBACK:
            _elsewhere.append(f"{request.method} {request.url}")
        load(handle, request)

    curl._Handle.load = note_and_load  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _stays_on_this_machine() -> Iterator[None]:
    """Fails a test of which a request would leave the machine."""
    yield
    asked, _elsewhere[:] = list(_elsewhere), []
    assert not asked, f"{asked[0]} is not on this machine: use the fixture everyone_open, or FarSide"
