"""JSON as every browser reads it: no NaN, no infinity, and no number that a double cannot hold (`1e400`)."""

import json
import math
import re
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

_MOST_DIGITS: Final = 308
"""An integer with at most this many digits is below the largest double, 1.8e308."""

_AS_ZEROS = bytes.maketrans(b"0123456789", b"0" * 10)
_TOO_MANY = b"0" * (_MOST_DIGITS + 1)
_BIG_EXPONENT = re.compile(rb"\d[eE]\+?\d{3}")


class InvalidNumber(ValueError):
    """JSON has no such number."""


def loads(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        ValueError: it is not JSON. `InvalidNumber`: it has a number that JSON does not allow.
        RecursionError: it is nested too deeply.
    """
    decoder = _DECODER_OF_LONG_NUMBERS if _has_long_number(raw) else _DECODER
    return decoder.decode(raw.decode("utf-8"))


def dumps(data: Any) -> str:
    """JSON by Django's encoder (dates, decimals, UUIDs, lazy strings). Decimals become strings, even a NaN.

    Raises:
        ValueError: it has a NaN, an infinity, or an integer beyond the range of a double.
        TypeError: the encoder does not know the type.
    """
    text = json.dumps(data, cls=DjangoJSONEncoder, separators=(",", ":"), allow_nan=False)
    if len(text) > _MOST_DIGITS:
        check(text.encode())
    return text


def check(raw: bytes) -> None:
    """Checks the numbers of a JSON text that somebody else has written. A text that is not JSON passes.

    Raises:
        InvalidNumber: it has a number that JSON does not allow.
    """
    if b"NaN" in raw or b"Infinity" in raw or _has_long_number(raw) or _BIG_EXPONENT.search(raw):
        try:
            loads(raw)
        except InvalidNumber:
            raise
        except (ValueError, RecursionError):
            return


def has_nonfinite(value: Any) -> bool:
    """Whether a value contains a NaN or an infinity, at any depth of lists, dicts and pydantic models."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(has_nonfinite, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(has_nonfinite, value))
    return hasattr(value, "model_fields_set") and any(map(has_nonfinite, vars(value).values()))


def _has_long_number(raw: bytes) -> bool:
    """Whether there may be an integer beyond a double: a very long run of digits, which may also be in a string."""
    return len(raw) > _MOST_DIGITS and _TOO_MANY in raw.translate(_AS_ZEROS)


def _constant(name: str) -> Any:
    raise InvalidNumber(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise InvalidNumber("A number is larger than JSON's readers can hold")
    return value


def _whole(text: str) -> int:
    """Parses an integer. Python itself raises ValueError for thousands of digits, which take too long to read."""
    if len(text) > _MOST_DIGITS:
        _float(text)
    return int(text)


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_float)
_DECODER_OF_LONG_NUMBERS = json.JSONDecoder(parse_constant=_constant, parse_float=_float, parse_int=_whole)
