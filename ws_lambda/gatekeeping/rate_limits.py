"""Rate limits for refusals per address and tokens per user. `models.opening` and `models.touching` count the others.

Repeated refusals get cheaper. A refusal costs one write until its address has reached the limit, and none after that. A
process that knows about it answers clients without a token without any request. A valid token passes whatever other
clients behind the same address do.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from ws_lambda.conf import conf
from ws_lambda.exceptions import RateLimited
from ws_lambda.models.rate_limits import hit, refused_places, refused_tokens
from ws_lambda.tables.rate_limits import RateLimit

IPV6_PREFIX = 64
"""The bits of an IPv6 address that identify a network. A host can use any address within it, a new one each time."""


def refusals_of(source_ip: str) -> RateLimit | None:
    """The counter of refused attempts of an address; None if API Gateway sent no address."""
    return RateLimit.of(f"refused#{place_of(source_ip)}") if source_ip else None


def count_refusal(source_ip: str, limit: int) -> None:
    """Counts a refused attempt: one write, and none once the address has reached its limit.

    Args:
        limit: the number of refusals per minute at which the address is blocked.
    """
    if source_ip and not is_known_refused(source_ip, limit):
        place = place_of(source_ip)
        refused_places.note(place, hit(f"refused#{place}"))


def is_known_refused(source_ip: str, limit: int) -> bool:
    """Whether this process knows that an address has reached its limit in this minute."""
    return bool(source_ip) and refused_places.hits(place_of(source_ip)) >= limit


def check_known(source_ip: str, limit: int) -> None:
    """Refuses an address that is known to have reached its limit, without a request.

    Raises:
        RateLimited: it has.
    """
    if is_known_refused(source_ip, limit):
        raise RateLimited()


def note_token_refusal(token_hash: str) -> None:
    """Remembers that a connect with a valid token was refused. The token is not consumed."""
    refused_tokens.note(token_hash, refused_tokens.hits(token_hash) + 1)


def check_token_refusals(token_hash: str, limit: int) -> None:
    """Refuses a token after too many refused connects with it in this process and minute.

    A valid token passes the limit of its address, so without this it could be tried endlessly.

    Raises:
        RateLimited: there were too many.
    """
    if refused_tokens.hits(token_hash) >= max(limit, 1):
        raise RateLimited()


def place_of(source_ip: str) -> str:
    """What is counted together: an IPv4 address, an IPv6 network, or everything that is not an address."""
    try:
        address = ip_address(source_ip)
    except ValueError:
        return "no-address"
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), IPV6_PREFIX), strict=False))


def check_refusals(counter: RateLimit | None, limit: int) -> None:
    """Refuses an address that was refused too often in this minute, and remembers it.

    Raises:
        RateLimited: it was refused too often.
    """
    hits = int(counter.hits) if counter is not None else 0
    if counter is not None:
        refused_places.note(counter.scope.removeprefix("refused#"), hits)
    if hits >= limit:
        raise RateLimited()


def count_token(user_id: str) -> None:
    """Counts a minted token.

    Raises:
        RateLimited: more than TOKENS_PER_MINUTE in this minute.
    """
    if hit(f"token#{user_id}") > conf.TOKENS_PER_MINUTE:
        raise RateLimited("Too many tokens: wait a minute, then try again")
