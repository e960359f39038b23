"""What a process remembers of tables and connections: all of it, in one list.

A new memory belongs in here; so it is dropped after a SnapStart restore, and between the tests of the kit.
"""

from ws_lambda.delivery import patience
from ws_lambda.models import channel_permissions, gateways, rate_limits


def forget() -> None:
    """Drops permissions, gateway records, counts of the minute, and whose connections were waited for in vain."""
    channel_permissions.forget_cache()
    gateways.forget()
    rate_limits.forget_remembered()
    patience.forget()
