"""Between the session's commit and the return of `$connect`, API Gateway answers 410 for the new connection.

See docs/contract.md 35.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import JsonResponse

from ws_lambda import delivery, housekeeping
from ws_lambda.delivery import NOT_OPEN_YET, YOUNG_SECONDS
from ws_lambda.exceptions import NotOpenYet, PermissionRefused
from ws_lambda.local import Faults
from ws_lambda.models import ChannelMembership, WebSocketSession
from ws_lambda.tables.sessions import CLOSING, LIVE_SHARDS
from ws_lambda.testing import ConnectRefused, InProcessGateway
from ws_lambda.views import WebSocketView

objects = WebSocketSession.objects


@pytest.fixture
def user(ws_tables: None) -> Any:
    return get_user_model().objects.create_user("alice", password="secret")


@pytest.fixture
def room(ws_client: Any, use_view: Any, user: Any) -> Iterator[Any]:
    """Connects a newcomer to the room, in which one client is already; `during` is done inside its connect."""
    clients: list[Any] = []

    class View(WebSocketView):
        during: Any = staticmethod(lambda _view: None)

        def connect(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            answer = super().connect(request, *args, **kwargs)
            return type(self).during(self) or answer

        def default(self, request: Any, *args: Any, **kwargs: Any) -> dict[str, str]:
            return {"hello": "you"}

    use_view(View)
    there = ws_client(user=user, channel="room")

    def newcomer(during: Any) -> Any:
        View.during = staticmethod(during)
        client = ws_client(user=user, channel="room")
        clients.append(client)
        return client

    yield there, newcomer


def still_works(newcomer: Any) -> None:
    assert newcomer.session.connected
    newcomer.send_json({"action": "default"})
    assert newcomer.receive_json() == {"hello": "you"}
    objects.filter(channel_name="room").send_message({"n": 2})
    assert newcomer.receive_json() == {"n": 2}


def test_a_broadcast_from_inside_connect_reaches_the_others_and_harms_nobody(room: Any) -> None:
    reports: list[delivery.DeliveryReport] = []
    there, newcomer = room

    new = newcomer(lambda _view: reports.append(objects.filter(channel_name="room").send_message({"n": 1})))

    assert there.receive_all() == [{"n": 1}]
    assert (reports[0].sent, [one.reason for one in reports[0].failed]) == (1, [NOT_OPEN_YET])
    new.expect_nothing()
    still_works(new)


@pytest.mark.parametrize(
    "send",
    [
        lambda view: view.websocket_session.send_message("x"),
        lambda view: objects.filter(connection_id=view.event.connection_id).send_message("x"),
        lambda view: objects.get(connection_id=view.event.connection_id).send_message("x"),
    ],
)
def test_a_message_to_itself_from_inside_connect_is_an_error_that_says_what_to_do(room: Any, send: Any) -> None:
    errors: list[str] = []

    def during(view: Any) -> None:
        with pytest.raises(NotOpenYet) as raised:
            send(view)
        errors.append(str(raised.value))

    _there, newcomer = room
    still_works(newcomer(during))
    assert "first message" in errors[0]


@pytest.mark.parametrize(
    "put_out",
    [
        lambda view: view.websocket_session.disconnect(),
        lambda view: objects.filter(channel_name="room").disconnect(),
        lambda view: objects.filter(connection_id=view.event.connection_id).disconnect(),
    ],
)
def test_a_disconnect_from_inside_connect_refuses_the_connect(room: Any, put_out: Any) -> None:
    ids: list[str] = []

    def during(view: Any) -> None:
        ids.append(view.event.connection_id)
        assert not put_out(view).failed

    _there, newcomer = room
    with pytest.raises(ConnectRefused) as refused:
        newcomer(during)
    assert refused.value.status == 403
    assert not objects.get(connection_id=ids[0]).connected


def test_a_connect_that_ends_otherwise_than_well_leaves_no_session_behind(room: Any) -> None:
    """API Gateway sends no `$disconnect` for what never opened."""

    def refuse(_view: Any) -> Any:
        raise PermissionRefused()

    def fail(_view: Any) -> Any:
        raise RuntimeError("broken")

    there, newcomer = room
    for during in (refuse, fail, lambda _view: JsonResponse({}, status=503)):
        with pytest.raises(ConnectRefused):
            newcomer(during)
    assert objects.filter(connected=True).count() == 1
    assert [row.connection_id for row in ChannelMembership.query("room")] == [there.connection_id]


def test_a_young_one_is_found_gone_when_it_would_have_opened(
    ws_gateway: InProcessGateway, ws_client: Any, user: Any
) -> None:
    client = ws_client(user=user, channel="room")
    ws_gateway.core.pool.remove(client._connection)  # and no `$disconnect` comes

    for advance in (0.0, YOUNG_SECONDS - 1):
        ws_gateway.advance(advance)
        report = objects.filter(channel_name="room").send_message("x")
        assert ([one.reason for one in report.failed], report.gone) == ([NOT_OPEN_YET], ())
        assert client.session.connected
    ws_gateway.advance(2)
    assert objects.filter(channel_name="room").send_message("x").gone == (client.connection_id,)
    assert not client.session.connected


def listed_as(client: Any) -> str | None:
    shard: str | None = client.session.live_shard
    return shard


def closing_rows() -> list[delivery.Recipient]:
    return [
        delivery.Recipient(row.connection_id, row.endpoint_url, int(row.connected_at.timestamp() * 1000))
        for row in WebSocketSession.live.query(CLOSING)
    ]


def test_a_disconnect_that_comes_before_the_socket_is_repeated(
    ws_gateway: InProcessGateway, ws_client: Any, user: Any
) -> None:
    from ws_lambda.models.sockets import close_remaining_sockets

    client = ws_client(user=user, channel="room")
    connection = client._connection
    ws_gateway.core.pool.remove(connection)  # as if `$connect` had not returned

    report = client.session.disconnect()

    assert [one.reason for one in report.failed] == [NOT_OPEN_YET]
    assert (client.session.connected, listed_as(client)) == (False, CLOSING)
    for selection in (objects.filter(connected=True), objects.filter(user=user, connected=True)):
        assert selection.count() == 0
        assert selection.send_message("x").sent == 0
    assert close_remaining_sockets() == 0, "it may open yet"
    ws_gateway.core.pool.add(connection)
    assert close_remaining_sockets() == 1
    assert client.close_code == 1000
    assert listed_as(client) is None
    assert closing_rows() == []


def test_one_that_never_opens_is_given_up_when_it_is_old(
    ws_gateway: InProcessGateway, ws_client: Any, user: Any
) -> None:
    from ws_lambda.models.sockets import close_remaining_sockets

    client = ws_client(user=user)
    ws_gateway.core.pool.remove(client._connection)
    client.session.disconnect()
    ws_gateway.advance(YOUNG_SECONDS + 1)
    assert close_remaining_sockets() == 1
    assert (client.session.connected, listed_as(client)) == (False, None)


def test_a_socket_that_did_not_close_is_closed_later(ws_gateway: InProcessGateway, ws_client: Any, user: Any) -> None:
    from ws_lambda.models.sockets import close_remaining_sockets

    client = ws_client(user=user, channel="room")
    ws_gateway.advance(600 - 1)
    ws_gateway.core.faults = Faults(connections_error=1)
    with delivery.deadline(0.01):
        assert client.session.disconnect().failed
    assert client.connected and listed_as(client) == CLOSING
    ws_gateway.core.faults = Faults()
    assert close_remaining_sockets() == 1
    assert not client.connected and listed_as(client) is None


def test_one_that_opened_and_was_closed_needs_no_second_try(ws_client: Any, user: Any) -> None:
    client = ws_client(user=user, channel="room")
    assert client.session.live_shard in LIVE_SHARDS
    assert client.session.disconnect().sent == 1
    assert (client.close_code, listed_as(client)) == (1000, None)


def test_a_disconnect_event_ends_the_trying(ws_gateway: InProcessGateway, ws_client: Any, user: Any) -> None:
    client = ws_client(user=user, channel="room")
    connection = client._connection
    ws_gateway.core.pool.remove(connection)
    client.session.disconnect()
    ws_gateway.core.pool.add(connection)
    client.disconnect()
    assert listed_as(client) is None


def test_the_schedule_closes_what_has_opened_since(ws_gateway: InProcessGateway, ws_client: Any, user: Any) -> None:
    client = ws_client(user=user, channel="room")
    connection = client._connection
    ws_gateway.core.pool.remove(connection)
    client.session.disconnect()
    ws_gateway.core.pool.add(connection)

    assert housekeeping.run().sockets_closed == 1

    assert (client.close_code, listed_as(client)) == (1000, None)
    assert housekeeping.run().sockets_closed == 0


def test_a_slow_connect_leaves_the_window_open(ws_gateway: InProcessGateway, ws_client: Any, user: Any) -> None:
    """`--fault connect.slow=3`: the session is stored, and the connection opens three seconds later."""
    ws_gateway.core.faults = Faults(connect_slow=3)
    reports: list[delivery.DeliveryReport] = []
    sleep = ws_gateway.clock.sleep

    async def talk_meanwhile(seconds: float) -> None:
        if seconds:
            reports.append(objects.filter(channel_name="room").send_message("x"))
        await sleep(seconds)

    ws_gateway.clock.sleep = talk_meanwhile  # type: ignore[method-assign]
    began = ws_gateway.clock.now()
    client = ws_client(user=user, channel="room")

    assert ws_gateway.clock.now() - began == 3
    assert [one.reason for one in reports[0].failed] == [NOT_OPEN_YET]
    assert objects.filter(channel_name="room").send_message("y").sent == 1
    assert client.receive_text() == "y"


def test_a_connect_slower_than_the_integration_may_be_fails(
    ws_gateway: InProcessGateway, ws_client: Any, user: Any
) -> None:
    ws_gateway.core.faults = Faults(connect_slow=30)
    with pytest.raises(ConnectRefused):
        ws_client(user=user, channel="room")
