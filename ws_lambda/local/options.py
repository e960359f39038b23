"""Behaviour that AWS does not document and nobody has measured. Tests must not rely on it, so it can be changed."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """One field for each unknown behaviour, with the default that this gateway assumes."""

    pings_count: bool = False
    """Whether a protocol ping keeps an idle connection open. Do not rely on it: send keep-alives of the application."""

    refusal_body: bool = False
    """Whether the body of a refused `$connect` reaches the client."""

    duration_close: tuple[int, str] = (1001, "Going away")
    """Code and reason of the forced close after two hours."""

    network_loss: tuple[int, str] = (1006, "Network connection lost")
    """Close code and reason in the `$disconnect` of a client that vanished."""

    too_big_reason: str = "Message too long"
    """The reason that goes with close code 1009."""

    binary_reason: str = "Binary messages are not supported"
    """The reason that goes with close code 1003."""

    failed_status_is_error: bool = True
    """Whether a 5xx answer of the integration to a message makes an error frame instead of a reply."""

    forwarded_proto: str = "https"
    """`X-Forwarded-Proto` of a `$connect`. AWS offers only https, a local server only http."""


def parse(settings: Iterable[str]) -> Options:
    """Reads `pings_count=yes`, `binary_reason=No bytes, please` and `duration_close=1000 Two hours`.

    Raises:
        ValueError: a setting is wrong. The message is fit for the command line.
    """
    defaults = {one.name: one.default for one in fields(Options)}
    chosen: dict[str, Any] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in defaults:
            raise ValueError(f"There is no option {name!r}. The options are {', '.join(defaults)}.")
        chosen[name] = _value(name, defaults[name], value)
    return Options(**chosen)


def _value(name: str, default: object, text: str) -> object:
    """The text converted to the type of the default."""
    if isinstance(default, bool):
        if text not in ("yes", "no"):
            raise ValueError(f"Option {name} must be yes or no, not {text!r}.")
        return text == "yes"
    if isinstance(default, tuple):
        code, _, reason = text.partition(" ")
        if not (code.isdecimal() and 1000 <= int(code) <= 4999):
            raise ValueError(f"Option {name} must be a close code from 1000 to 4999 and a reason, not {text!r}.")
        return int(code), reason
    return text
