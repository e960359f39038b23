"""docs/contract.md 24: `$disconnect` comes late, again, or from somebody else, and is never an error."""

import pytest

from tests import wire
from ws_lambda.models import ChannelMembership, WebSocketSession, gateways

pytestmark = pytest.mark.usefixtures("tables", "still")


def session(connection_id="C1="):
    return WebSocketSession.get(connection_id, consistent_read=True)


@pytest.mark.parametrize("exists", [True, False])
def test_24_disconnect_is_never_an_error(user, tables, exists):
    if exists:
        wire.connect(token=wire.mint(user), query={"channel": "general"})
    gateways.registered()  # known to the process from here on
    tables.clear()
    assert wire.disconnect() == {"statusCode": 200, "body": "{}"}
    assert tables == (["UpdateItem", "TransactWriteItems"] if exists else ["UpdateItem"])
    assert wire.disconnect()["statusCode"] == 200
    assert wire.disconnect("has/slash")["statusCode"] == 200
    assert list(ChannelMembership.query("general")) == []
    if exists:
        closed = session()
        assert (closed.connected, closed.live_shard) == (False, None)
        assert closed.disconnected_at is not None


def test_24_another_gateways_disconnect_changes_nothing(user):
    wire.connect(token=wire.mint(user))
    wire.disconnect(apiId="other")
    assert session().connected
