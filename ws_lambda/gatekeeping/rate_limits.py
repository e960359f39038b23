"""Limits: refusals per address, connects and tokens per user. Messages are counted where they are touched."""

from ipaddress import IPv6Address, ip_address, ip_network

from ws_lambda.conf import conf
from ws_lambda.exceptions import RateLimited
from ws_lambda.models.rate_limits import RateLimit

IPV6_PREFIX = 64
"""Bits of an IPv6 address that name a network. Within it a host takes any address it likes, a new one each time."""


def refusals_of(source_ip: str) -> RateLimit | None:
    """The counter of an address's refused attempts; None where API Gateway told no address."""
    return RateLimit.of(f"refused#{place_of(source_ip)}") if source_ip else None


def count_refusal(source_ip: str) -> None:
    """Counts a refused attempt: the one write that a refusal costs."""
    if source_ip:
        RateLimit.hit(f"refused#{place_of(source_ip)}")


def place_of(source_ip: str) -> str:
    """Who is counted together: an IPv4 address, an IPv6 network, or whatever is no address."""
    try:
        address = ip_address(source_ip)
    except ValueError:
        return "no-address"
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), IPV6_PREFIX), strict=False))


def check_refusals(counter: RateLimit | None, limit: int) -> None:
    """Stops an address that was refused too often in this minute.

    Raises:
        RateLimited: it was.
    """
    if (counter.hits if counter is not None else 0) >= limit:
        raise RateLimited()


def count_token(user_id: str) -> None:
    """Counts a minted token.

    Raises:
        RateLimited: more than TOKENS_PER_MINUTE in this minute.
    """
    if RateLimit.hit(f"token#{user_id}") > conf.TOKENS_PER_MINUTE:
        raise RateLimited("Too many tokens: wait a minute, then ask again")
