"""docs/contract.md 26 and 27: from the models' `send_message` to the requests that API Gateway gets."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import dynamodb_server
from tests.far_side import FarSide
from tests.golden import golden
from ws_lambda import aws, clock
from ws_lambda.delivery import YOUNG_SECONDS, DeliveryReport
from ws_lambda.events import GatewayEvent
from ws_lambda.models import ChannelMembership, WebSocketSession
from ws_lambda.models.closing import close_session
from ws_lambda.models.opening import new_session, open_session

objects = WebSocketSession.objects


@pytest.fixture(autouse=True)
def tables_behind_http(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sender reads rosters without botocore, so they are served."""
    with dynamodb_server.serving() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        aws.forget()
        with dynamodb_server.empty_tables():
            yield
    aws.forget()


@pytest.fixture
def far() -> Iterator[FarSide]:
    with FarSide().serving() as side:
        yield side


@pytest.fixture
def other() -> Iterator[FarSide]:
    """A second gateway."""
    with FarSide().serving() as side:
        yield side


def opened(connection_id: str, endpoint_url: str, channel: str = "general") -> WebSocketSession:
    now = int((clock.now() - YOUNG_SECONDS) * 1000)
    event = GatewayEvent.from_lambda(golden("connect", connectionId=connection_id, connectedAt=now))
    session = new_session(event, endpoint_url=endpoint_url, channel_name=channel)
    open_session(session)
    return session


def outcome(report: DeliveryReport) -> tuple[int, tuple[str, ...], list[str]]:
    return report.sent, report.gone, [one.connection_id for one in report.failed]


def is_open(connection_id: str) -> bool:
    return WebSocketSession.get(connection_id, consistent_read=True).connected


def members(channel: str = "general") -> set[str]:
    return {row.connection_id for row in ChannelMembership.query(channel)}


def test_26_a_session_gets_json_text(far: FarSide) -> None:
    session = opened("A=", far.endpoint_url)
    opened("B=", far.endpoint_url)
    assert outcome(session.send_message({"text": "Hello", "n": [1, None]})) == (1, (), [])
    assert dict(far.bodies) == {"A=": [b'{"text":"Hello","n":[1,null]}']}


def test_26_a_session_that_is_gone_is_closed_and_reported(far: FarSide) -> None:
    session = opened("A=", far.endpoint_url)
    opened("B=", far.endpoint_url)
    far.behave = lambda _id, _before: 410
    assert outcome(session.send_message("x")) == (0, ("A=",), [])
    assert not is_open("A=")
    assert is_open("B=")
    assert members() == {"B="}


@pytest.mark.parametrize(("endpoint", "data"), [("", "x"), (None, "x" * 131_073)])
def test_26_what_cannot_be_sent_is_said_before_anything_is(far: FarSide, endpoint: str | None, data: str) -> None:
    session = opened("A=", far.endpoint_url if endpoint is None else endpoint)
    with pytest.raises(ValueError, match=r"no endpoint|131,073 bytes"):
        session.send_message(data)
    assert not far.requests
    assert is_open("A=")


def test_27_each_through_its_own_gateway_and_every_outcome_is_named(far: FarSide, other: FarSide) -> None:
    for connection_id, side in (("A=", far), ("B=", other), ("gone=", far), ("bad=", other), ("closed=", far)):
        opened(connection_id, side.endpoint_url)
    opened("elsewhere=", far.endpoint_url, channel="support")
    close_session("closed=")
    far.behave = lambda connection_id, _before: 410 if connection_id == "gone=" else 200
    other.behave = lambda connection_id, _before: 403 if connection_id == "bad=" else 200
    assert outcome(objects.filter(channel_name="general").send_message({"a": 1})) == (2, ("gone=",), ["bad="])
    assert (set(far.asked), set(other.asked)) == ({"A=", "gone="}, {"B=", "bad="})
    assert members() == {"A=", "B=", "bad="}
    assert [is_open(one) for one in ("A=", "B=", "bad=", "gone=")] == [True, True, True, False]


@pytest.mark.parametrize("lookups", [{}, {"connected": True}, {"api_gateway": "abc123"}])
def test_27_only_open_connections_are_sent_to(far: FarSide, lookups: dict[str, Any]) -> None:
    for connection_id in ("A=", "B=", "closed="):
        opened(connection_id, far.endpoint_url)
    close_session("closed=")
    report = objects.filter(**lookups).send_message("x")
    assert (report.sent, set(far.asked)) == (2, {"A=", "B="})


def test_27_a_selection_is_disconnected_at_its_gateways(far: FarSide, other: FarSide) -> None:
    opened("A=", far.endpoint_url)
    opened("B=", other.endpoint_url)
    opened("C=", far.endpoint_url, channel="support")
    assert objects.filter(channel_name="general").disconnect().sent == 2
    assert [method for method, *_ in (*far.requests, *other.requests)] == ["DELETE", "DELETE"]
    assert [is_open(one) for one in ("A=", "B=", "C=")] == [False, False, True]
    assert members() == set()
