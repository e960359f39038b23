"""Tables at an endpoint, which are emptied after each test."""

from typing import Any

import pytest

from ws_lambda.testing import endpoint_tables


class Busy:
    """An endpoint that leaves one of the writes undone, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked: list[int] = []

    def __call__(self, operation: str, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        assert operation == "BatchWriteItem"
        [(name, writes)] = RequestItems.items()
        self.asked.append(len(writes))
        left = {name: writes[-1:]} if len(self.asked) <= self.times else {}
        return {"UnprocessedItems": left}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ws_lambda.retrying.time.sleep", lambda _seconds: None)


def test_no_row_of_a_test_is_left_to_the_next_one() -> None:
    busy = Busy(2)
    endpoint_tables._write(busy, {"sessions": [{"DeleteRequest": {"Key": {}}}] * 3})
    assert busy.asked == [3, 1, 1]


def test_an_endpoint_that_stays_busy_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="too busy to empty sessions"):
        endpoint_tables._write(Busy(99), {"sessions": [{"DeleteRequest": {"Key": {}}}]})
