"""The result of a run."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(kw_only=True)
class Pruned:
    """The result of a run."""

    checked: int = 0
    """Connections that were checked, because it was their turn."""

    asked: int = 0
    """Connections among them that were probed at API Gateway, because they had been idle for ten minutes."""

    expired: int = 0
    """Sessions closed because they were older than two hours, the longest time of a connection."""

    gone: int = 0
    """Sessions closed because API Gateway no longer knows their connection."""

    sockets_closed: int = 0
    """Sockets that could not be closed together with their sessions, and are closed or gone now."""

    disconnected: int = 0
    """Connections closed that an earlier `disconnect()` of many had no time for."""

    orphans: int = 0
    """Memberships removed whose connection is closed, or was an earlier one with the same id."""

    unknown: int = 0
    """Connections that were probed without an answer. They are probed again at their next turn."""

    evicted: int = 0
    """Connections closed because their user is gone, their login has ended, or they lost a permission."""

    removed: int = 0
    """Channels that connections were removed from, because their users may no longer be in them."""

    unchecked: int = 0
    """Connections that stay open because their user, login or view could not be checked. Their turn comes again."""

    complete: bool = False
    """Whether the run is complete. If not, the next run continues where it stopped."""


Progress = Callable[[Pruned], object]
