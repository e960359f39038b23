"""What a run of the schedule did."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(kw_only=True)
class Pruned:
    """What a run did."""

    checked: int = 0
    """Connections whose turn it was."""

    asked: int = 0
    """Of those, connections that API Gateway was asked about: nothing has been heard of them for ten minutes."""

    expired: int = 0
    """Sessions closed because no connection lives longer than two hours."""

    gone: int = 0
    """Sessions closed because API Gateway no longer knows their connection."""

    sockets_closed: int = 0
    """Sockets of closed sessions that could not be closed at the time, and are closed or gone by now."""

    disconnected: int = 0
    """Connections closed that a `disconnect()` of many had no time for."""

    orphans: int = 0
    """Memberships removed whose connection is closed, or was another one."""

    unknown: int = 0
    """Connections about which API Gateway gave no answer; they are asked about again when their turn comes round."""

    evicted: int = 0
    """Connections closed whose user or login has ended or has lost the right to be there: those whose turn it was, and
    those whom a changed permission puts out."""

    removed: int = 0
    """Channels taken away from such connections, because their users may no longer be in them."""

    unchecked: int = 0
    """Connections that stay because their users, logins or views could not be asked; their turn comes round."""

    complete: bool = False
    """Whether the run came to the end; otherwise the next one goes on where it stopped."""


Progress = Callable[[Pruned], object]
