"""What the sender's tests share."""

from collections.abc import Iterator, Sequence

import pytest

from tests.far_side import FarSide
from ws_lambda import aws
from ws_lambda.delivery import Recipient, curl


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    aws.forget()
    yield
    curl.forget()
    aws.forget()


@pytest.fixture
def far() -> Iterator[FarSide]:
    """A far side that says 200 to everything, until a test says otherwise."""
    with FarSide().serving() as side:
        yield side


def recipients(far: FarSide, count: int) -> list[Recipient]:
    return [Recipient(f"c{number:06}=", far.endpoint_url, 1_700_000_000_000 + number) for number in range(count)]


def ignore(_gone: Sequence[Recipient]) -> None:
    """For sends where nobody is gone."""
