"""Recipients of messages, made from rows."""

from ws_lambda import delivery
from ws_lambda.tables.attributes import milliseconds
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.sessions import SessionRow


def recipient_of(row: SessionRow | ChannelMembership) -> delivery.Recipient:
    """The recipient for a session, a row of an index of sessions, or a membership."""
    return delivery.Recipient(row.connection_id, row.endpoint_url, milliseconds(row.connected_at))
