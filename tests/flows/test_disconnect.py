"""docs/contract.md 24: `$disconnect` comes late, again, or from somebody else, and is never an error."""

import pytest

from ws_lambda.models import ChannelMembership, WebSocketSession, gateways
from ws_lambda.testing import connect_event, disconnect_event, invoke, mint_token

pytestmark = pytest.mark.usefixtures("ws_tables", "still")


def session(connection_id="C1="):
    return WebSocketSession.get(connection_id, consistent_read=True)


@pytest.mark.parametrize("exists", [True, False])
def test_24_disconnect_is_never_an_error(user, ws_requests, exists):
    if exists:
        invoke(connect_event(token=mint_token(user), channel="general"))
    gateways.registered()  # known to the process from here on
    ws_requests.clear()
    assert invoke(disconnect_event()) == {"statusCode": 200, "body": "{}"}
    assert ws_requests == (["UpdateItem", "TransactWriteItems"] if exists else ["UpdateItem"])
    assert invoke(disconnect_event())["statusCode"] == 200
    assert invoke(disconnect_event("has/slash"))["statusCode"] == 200
    assert list(ChannelMembership.query("general")) == []
    if exists:
        closed = session()
        assert (closed.connected, closed.live_shard) == (False, None)
        assert closed.disconnected_at is not None


def test_24_another_gateways_disconnect_changes_nothing(user):
    invoke(connect_event(token=mint_token(user)))
    invoke(disconnect_event(apiId="other"))
    assert session().connected
