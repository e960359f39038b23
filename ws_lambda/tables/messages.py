"""The messages of channels that HISTORY keeps, and the counters that number them."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda.tables.attributes import MillisecondsAttribute, PayloadAttribute
from ws_lambda.tables.table import Table, TableMeta


class MessageRow(Table):
    """One message of a channel, or a sequence number that was abandoned."""

    class Meta(metaclass=TableMeta):
        name = "messages"

    channel_name = UnicodeAttribute(hash_key=True)
    sequence = NumberAttribute(range_key=True)
    payload = PayloadAttribute()
    sender = UnicodeAttribute(default="")
    sent_at = MillisecondsAttribute()
    written_by = UnicodeAttribute(null=True)
    """A random value by which the writer recognises its own row."""

    abandoned = BooleanAttribute(null=True, attr_name="buried")
    """Whether the number was abandoned: it has no message, and never will."""

    expires_at = TTLAttribute()


class LastNumber(Table):
    """The counter of a channel's messages. It is kept a day longer than the messages."""

    class Meta(metaclass=TableMeta):
        name = "messages"

    channel_name = UnicodeAttribute(hash_key=True)
    sequence = NumberAttribute(range_key=True, default=0)
    """Always 0. No message has this number."""

    last_number = NumberAttribute()
    expires_at = TTLAttribute()
