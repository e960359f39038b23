"""Reading items of several classes at once."""

from typing import Any

import pytest
from pynamodb.exceptions import GetError

from ws_lambda import delivery
from ws_lambda.tables import table
from ws_lambda.tables.rate_limits import PermissionsChanged
from ws_lambda.tables.table import batch_read

WANTED = [(PermissionsChanged, PermissionsChanged.KEY)]


class Busy:
    """A DynamoDB that leaves every key unprocessed so many times, then has no items."""

    def __init__(self, times: float) -> None:
        self.left, self.asked = times, 0

    def dispatch(self, _operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        self.left -= 1
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"] if self.left >= 0 else {}}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("ws_lambda.retrying.time.sleep", pauses.append)
    return pauses


def test_unprocessed_keys_are_read_after_a_pause(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    busy = Busy(2)
    monkeypatch.setattr(table, "connection", lambda: busy)
    assert batch_read(WANTED) == {}
    assert (busy.asked, len(slept)) == (3, 2)


def test_a_dynamodb_that_stays_busy_is_an_error(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    busy = Busy(50)
    monkeypatch.setattr(table, "connection", lambda: busy)
    with pytest.raises(GetError, match="too busy"):
        batch_read(WANTED)
    assert busy.asked == 6


def test_nothing_is_read_again_long_after_the_deadline(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    busy = Busy(50)
    monkeypatch.setattr(table, "connection", lambda: busy)
    with delivery.deadline(0), pytest.raises(GetError):
        monkeypatch.setattr("ws_lambda.retrying.random.uniform", lambda _least, _most: 2.0)
        batch_read(WANTED)
    assert (busy.asked, slept) == (1, [])
