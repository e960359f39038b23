"""The service's quotas, and the token buckets that keep them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from math import inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotas:
    """The quotas of an account and region. The defaults are the service's own."""

    connects_per_second: float = 500
    requests_per_second: float = 10_000
    request_burst: float = 5_000
    """How many requests may come at once. Messages and @connections calls share rate and burst."""

    concurrency: float = 1_000
    """Concurrent invocations of the function."""

    integration_timeout: float = 29
    idle_timeout: float = 600
    max_duration: float = 7_200
    """Seconds, all three."""


def parse(settings: Iterable[str]) -> Quotas:
    """Reads `idle_timeout=30`.

    Raises:
        ValueError: a setting is wrong. The message is fit for the command line.
    """
    chosen: dict[str, float] = {}
    known = [one.name for one in fields(Quotas)]
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in known:
            raise ValueError(f"There is no quota {name!r}. The quotas are {', '.join(known)}.")
        try:
            chosen[name] = float(value)
        except ValueError:
            raise ValueError(f"Quota {name} needs a number, not {value!r}.") from None
        if not 0 <= chosen[name] < inf:
            raise ValueError(f"Quota {name} must be 0 or more, not {value}.")
    return Quotas(**chosen)


class Bucket:
    """A token bucket: `rate` a second, `burst` at once."""

    def __init__(self, rate: float, burst: float, now: Callable[[], float]) -> None:
        self._rate, self._burst, self._now = rate, burst, now
        self._tokens, self._at = burst, now()

    def take(self) -> bool:
        """Takes a token. Returns False if there is none."""
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
