"""How the delivery room addresses the connection of a row."""

from ws_lambda import delivery
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.sessions import SessionRow


def recipient_of(row: SessionRow | ChannelMembership) -> delivery.Recipient:
    """The address of a connection, from its session, from a row of an index, or from its row in a roster."""
    return delivery.Recipient(row.connection_id, row.endpoint_url, milliseconds(row.connected_at))
