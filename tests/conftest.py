"""Fixtures of the whole test run."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import django
import hypothesis
import pytest

from tests import engines, service_models

gc.disable()  # until the tests are collected, which is then twice as quick
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
service_models.read_once()

pytest_plugins = [
    "ws_lambda.testing.plugin",
    "tests.conformance.scorecard",
    "tests.e2e.times",
    "tests.local_site",
    "tests.no_network",
    "tests.policy",
    "tests.secrecy",
    "tests.worker_shares",
]


# No time limit for one example, because any of them can be slow on a busy machine.
_property_tests = hypothesis.settings(
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.register_profile("tests", _property_tests, derandomize=True, max_examples=200)
hypothesis.settings.register_profile(
    "fuzz", _property_tests, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100000")), print_blob=True
)
hypothesis.settings.load_profile("tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out tests that another engine would only repeat."""
    engines.select(config, items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Keeps what is imported by now out of every garbage collection, which saves a twentieth of the time."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def ws_tables() -> Iterator[list[str]]:
    """The test kit's own, on the engine of this run."""
    from ws_lambda.testing import tables

    with engines.served(), tables() as requests:
        yield requests


@pytest.fixture
def no_tables() -> Iterator[None]:
    """A DynamoDB in which no table has been created yet."""
    from ws_lambda.testing.database import in_memory

    with engines.served(), engines.without_tables() if engines.real() else in_memory():
        yield


@pytest.fixture(autouse=True)
def _not_on_this_engine(request: pytest.FixtureRequest) -> None:
    """Skips tests that test moto itself, or need something that only moto has."""
    if engines.real() and (marker := request.node.get_closest_marker("moto")):
        pytest.skip(f"moto only: {marker.args[0]}")


@pytest.fixture
def nobody_listens() -> Iterator[None]:
    """As in a project that has accounts but no WebSockets: no receiver of login signals is connected."""
    from ws_lambda.gatekeeping import signals

    signals.disconnect_signals()
    yield
    signals.connect_signals()


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> float:
    """A clock that stands still, five seconds into a minute: counters of one minute stay in it."""
    from ws_lambda import clock

    moment = clock.now() // 60 * 60 + 5
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


@pytest.fixture
def people(settings: Any) -> Iterator[dict[str, Any]]:
    """An empty dict of users, and the auth backend that finds those who are added."""
    from tests import backends

    settings.AUTHENTICATION_BACKENDS = [backends.PATH]
    backends.people.clear()
    yield backends.people
    backends.people.clear()


@pytest.fixture
def user(people: dict[str, Any]) -> Any:
    """An active user, known to the auth backend."""
    from tests import backends

    return backends.add("7")


@pytest.fixture
def admins(settings: Any) -> None:
    """An admin who gets mails about errors, and has not got any lately."""
    from ws_lambda import reporting

    settings.ADMINS = ["a@example.com"] if django.VERSION >= (6,) else [("a", "a@example.com")]
    reporting.forget()


@pytest.fixture
def use_view() -> Iterator[Any]:
    """Puts a view class behind /ws/ for one test."""
    from tests import urls

    def put(view: Any) -> Any:
        urls.current["view"] = urls.serve.view_class = view
        return view

    before = urls.current["view"]
    yield put
    put(before)
