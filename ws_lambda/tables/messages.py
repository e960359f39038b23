"""The last messages of channels, and the counter that numbers them."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda.tables.attributes import MillisecondsAttribute, PayloadAttribute
from ws_lambda.tables.table import Table, TableMeta


class MessageRow(Table):
    """One message of a channel that HISTORY keeps; or a number that will never have one."""

    class Meta(metaclass=TableMeta):
        name = "messages"

    channel_name = UnicodeAttribute(hash_key=True)
    sequence = NumberAttribute(range_key=True)
    payload = PayloadAttribute()
    sender = UnicodeAttribute(default="")
    sent_at = MillisecondsAttribute()
    written_by = UnicodeAttribute(null=True)
    """What its writer knows it by."""

    buried = BooleanAttribute(null=True)
    """There is no message under this number, and there never will be."""

    expires_at = TTLAttribute()


class LastNumber(Table):
    """The counter of a channel's messages. It outlives each of them by a day."""

    class Meta(metaclass=TableMeta):
        name = "messages"

    channel_name = UnicodeAttribute(hash_key=True)
    sequence = NumberAttribute(range_key=True, default=0)
    """Always 0: no message has that number."""

    last_number = NumberAttribute()
    expires_at = TTLAttribute()
