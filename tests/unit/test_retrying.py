"""One policy for everything that waits and tries again."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ws_lambda import delivery
from ws_lambda.retrying import Retry


class Busy(Exception):
    """Not yet."""


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made. Time passes by them alone."""
    pauses: list[float] = []
    monkeypatch.setattr("ws_lambda.retrying.time.monotonic", lambda: 1000.0 + sum(pauses))
    monkeypatch.setattr("ws_lambda.retrying.time.sleep", pauses.append)
    return pauses


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is as long as its limit allows."""
    monkeypatch.setattr("ws_lambda.retrying.random.uniform", lambda _least, most: most)


def failing(times: int) -> Callable[[], str]:
    left = [None] * times

    def work() -> str:
        if left:
            left.pop()
            raise Busy()
        return "done"

    return work


def test_pauses_are_anything_up_to_a_limit_that_doubles() -> None:
    policy = Retry(base=0.1, cap=0.5)
    for made, limit in enumerate([0.1, 0.2, 0.4, 0.5, 0.5], start=1):
        pauses = [policy.pause(made) for _ in range(500)]
        assert 0 <= min(pauses) < limit * 0.1
        assert limit * 0.9 < max(pauses) <= limit


def test_a_thousand_attempts_overflow_nothing() -> None:
    assert Retry(base=1.0, cap=2.0).pause(5_000) <= 2.0


def test_the_first_that_is_done_ends_it(slept: list[float]) -> None:
    assert Retry(base=0.1, attempts=5).call(failing(2), Busy) == "done"
    assert len(slept) == 2


def test_after_the_last_attempt_its_exception_is_raised_without_another_pause(slept: list[float]) -> None:
    with pytest.raises(Busy):
        Retry(base=0.1, attempts=3).call(failing(3), Busy)
    assert len(slept) == 2


def test_other_exceptions_are_not_tried_again(slept: list[float]) -> None:
    with pytest.raises(Busy):
        Retry(base=0.1, attempts=3).call(failing(1), KeyError)
    assert slept == []


@pytest.mark.usefixtures("longest")
def test_the_last_attempt_is_at_the_end_of_the_window(slept: list[float]) -> None:
    attempts = Retry(base=0.5, within=2.0).begin()
    while attempts.wait():
        pass
    assert slept == [0.5, 1.0, 0.5], "half a second after the first, a second later, and at the end of two"
    assert attempts.made == 4


@pytest.mark.usefixtures("longest")
def test_no_attempt_begins_after_the_deadline(slept: list[float]) -> None:
    with delivery.deadline(0.9):
        attempts = Retry(base=0.5).begin()
    assert attempts.wait()
    assert not attempts.wait(), "the next one would be a second later"
    assert slept == [0.5]


@pytest.mark.usefixtures("longest")
def test_closing_work_has_some_time_after_the_deadline(slept: list[float]) -> None:
    with delivery.deadline(0.0):
        late = Retry(base=0.5).begin()
        finishing = Retry(base=0.5, overtime=1.0).begin()
    assert not late.wait()
    assert finishing.wait() and not finishing.wait()
    assert slept == [0.5]


@pytest.mark.usefixtures("longest")
def test_a_deadline_can_be_handed_to_another_thread(slept: list[float]) -> None:
    attempts = Retry(base=0.5).begin(deadline=time.monotonic() + 0.4)
    assert not attempts.wait()
    assert slept == []


def test_code_that_does_not_block_asks_when() -> None:
    policy = Retry(base=0.5, attempts=3, within=10.0)
    due = policy.next_at(1, 100.0, first_at=100.0)
    assert due is not None and 100.0 <= due <= 100.5
    assert policy.next_at(3, 100.0, first_at=100.0) is None, "three have been made"
    assert policy.next_at(2, 110.0, first_at=100.0) is None, "the window is over"


def test_nothing_else_in_the_package_draws_pauses_of_its_own() -> None:
    """The local gateway and the test kit are not meant: nothing there waits for AWS."""
    package = Path(__file__).parents[2] / "ws_lambda"
    files = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in ("local", "testing")]
    assert len(files) > 100
    drawing = {path.name for path in files if "random.uniform(" in path.read_text()}
    assert drawing == {"retrying.py"}
    sleeping = {path.name for path in files if "time.sleep(" in path.read_text()}
    # A pump waits for its exchanges, and a roster for its next page: neither tries anything again.
    assert sleeping == {"retrying.py", "curl.py", "pumps.py", "roster.py"}
