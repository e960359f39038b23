"""What a channel name is, and which setting speaks for it."""

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from ws_lambda.conf import conf
from ws_lambda.exceptions import InvalidChannel

_T = TypeVar("_T")

NAME_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:@-]+")
"""What a name may be made of. To be used with `fullmatch`; `#` and `*` have meanings of their own."""

MAX_NAME_LENGTH: Final = 128
"""Characters in a name."""


def check_name(channel_name: object) -> str:
    """The name, if it is one.

    Raises:
        InvalidChannel: it is empty, too long, or has characters that a name may not have.
    """
    if (
        not isinstance(channel_name, str)
        or len(channel_name) > MAX_NAME_LENGTH
        or not NAME_PATTERN.fullmatch(channel_name)
    ):
        raise InvalidChannel()
    return channel_name


def is_pattern(name: str) -> bool:
    """Whether the name speaks for every channel that begins with what stands before its `*`."""
    return name.endswith("*")


def best_match(patterns: Iterable[str], name: str) -> str | None:
    """The pattern that speaks for a channel: its exact name, else the longest prefix."""
    prefixes = []
    for pattern in patterns:
        if pattern == name:
            return pattern
        if is_pattern(pattern) and name.startswith(pattern[:-1]):
            prefixes.append(pattern)
    return max(prefixes, key=len, default=None)


def setting_for(values: Mapping[str, _T], name: str, default: _T) -> _T:
    """The value that a setting of channel patterns has for one channel."""
    pattern = best_match(values, name)
    return default if pattern is None else values[pattern]


def shard_keys(name: str) -> list[str]:
    """All partition keys of a channel's membership, as CHANNEL_SHARDS spreads it."""
    count = setting_for(conf.CHANNEL_SHARDS, name, 1)
    return [name] if count <= 1 else [f"{name}#{shard}" for shard in range(count)]


def shard_key(name: str, connection_id: str) -> str:
    """The partition key that one connection's membership of a channel is kept under."""
    keys = shard_keys(name)
    return keys[zlib.crc32(connection_id.encode()) % len(keys)]
