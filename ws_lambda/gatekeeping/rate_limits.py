"""Limits: refusals per address, connects and tokens per user. Messages are counted where they are touched."""

from ws_lambda.conf import conf
from ws_lambda.exceptions import RateLimited
from ws_lambda.models.rate_limits import RateLimit


def refusals_of(source_ip: str) -> RateLimit | None:
    """The counter of an address's refused attempts; None where API Gateway told no address."""
    return RateLimit.of(f"refused#{source_ip}") if source_ip else None


def count_refusal(source_ip: str) -> None:
    """Counts a refused attempt: the one write that a refusal costs."""
    if source_ip:
        RateLimit.hit(f"refused#{source_ip}")


def check_refusals(counter: RateLimit | None, limit: int) -> None:
    """Stops an address that was refused too often in this minute.

    Raises:
        RateLimited: it was.
    """
    if counter is not None and counter.hits >= limit:
        raise RateLimited()


def count_token(user_id: str) -> None:
    """Counts a minted token.

    Raises:
        RateLimited: more than TOKENS_PER_MINUTE in this minute.
    """
    if RateLimit.hit(f"token#{user_id}") > conf.TOKENS_PER_MINUTE:
        raise RateLimited("Too many tokens: wait a minute, then ask again")
