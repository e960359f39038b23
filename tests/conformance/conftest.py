"""The gateway under test: ours, or the one that CONFORMANCE_TARGET names."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.conformance import scorecard
from tests.conformance.target import BARE, FULL, NESTED, DeployedApi, Shape


@pytest.fixture(scope="session")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Shape], DeployedApi]]:
    """Deploys a shape, once for the session."""
    if scorecard.target() == "ministack":
        from tests.conformance import ministack_target as place
    else:
        from tests.conformance import local_target as place
    folder = tmp_path_factory.mktemp("conformance")
    apis: dict[str, DeployedApi] = {}
    with ExitStack() as stack:

        def once(shape: Shape) -> DeployedApi:
            if shape.name not in apis:
                apis[shape.name] = stack.enter_context(place.deployed(shape, folder))
            return apis[shape.name]

        yield once
        for api in apis.values():
            for client in api.clients:
                client.close()


@pytest.fixture
def api(deploy: Callable[[Shape], DeployedApi]) -> DeployedApi:
    """An API with every standard route, a two-way route `chat` and a one-way route `quiet`."""
    return deploy(FULL)


@pytest.fixture
def bare_api(deploy: Callable[[Shape], DeployedApi]) -> DeployedApi:
    """An API with the route `chat` and no other."""
    return deploy(BARE)


@pytest.fixture
def nested_api(deploy: Callable[[Shape], DeployedApi]) -> DeployedApi:
    """An API that selects routes by `$request.body.a.b`."""
    return deploy(NESTED)
