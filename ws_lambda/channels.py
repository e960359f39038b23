"""Channel names, and the patterns by which settings and permissions apply to channels."""

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from ws_lambda.conf import conf
from ws_lambda.exceptions import InvalidChannel

_T = TypeVar("_T")

NAME_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:@-]+")
"""The characters of a name. Use it with `fullmatch`. `#` separates the shards of a channel, and `*` ends a pattern."""

MAX_NAME_LENGTH: Final = 128
"""The most characters that a name may have."""


def check_name(channel_name: object) -> str:
    """Returns the name, if it is valid.

    Raises:
        InvalidChannel: it is not a string, is empty or too long, or has characters that a name may not have.
    """
    if (
        not isinstance(channel_name, str)
        or len(channel_name) > MAX_NAME_LENGTH
        or not NAME_PATTERN.fullmatch(channel_name)
    ):
        raise InvalidChannel()
    return channel_name


def is_pattern(name: str) -> bool:
    """Whether the name is a pattern: it ends in `*`, and applies to every channel that begins with the part before."""
    return name.endswith("*")


def best_match(patterns: Iterable[str], name: str) -> str | None:
    """The pattern that applies to a channel: its exact name, else the longest prefix. None if no pattern does."""
    prefixes = []
    for pattern in patterns:
        if pattern == name:
            return pattern
        if is_pattern(pattern) and name.startswith(pattern[:-1]):
            prefixes.append(pattern)
    return max(prefixes, key=len, default=None)


def setting_for(values: Mapping[str, _T], name: str, default: _T) -> _T:
    """The value for one channel in a setting that maps names and patterns to values."""
    pattern = best_match(values, name)
    return default if pattern is None else values[pattern]


def shard_keys(name: str) -> list[str]:
    """All partition keys of a channel's memberships. CHANNEL_SHARDS says how many there are."""
    count = setting_for(conf.CHANNEL_SHARDS, name, 1)
    return [name] if count <= 1 else [f"{name}#{shard}" for shard in range(count)]


def shard_key(name: str, connection_id: str) -> str:
    """The partition key of one connection's membership in a channel."""
    keys = shard_keys(name)
    return keys[zlib.crc32(connection_id.encode()) % len(keys)]
