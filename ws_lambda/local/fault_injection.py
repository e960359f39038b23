"""Injected faults. They are seeded, so that a bad run can be repeated."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """How often something goes wrong. The values are probabilities from 0 to 1, or times in seconds."""

    disconnect_drop: float = 0.0
    """`$disconnect` never comes."""

    disconnect_duplicate: float = 0.0
    """`$disconnect` comes twice."""

    disconnect_reorder: float = 0.0
    """`$disconnect` comes after the next event of another connection."""

    disconnect_delay: float = 0.0
    """`$disconnect` comes this many seconds late."""

    connect_slow: float = 0.0
    """The function's answer to `$connect` comes this many seconds late: the connection is stored, but not open."""

    connections_gone: float = 0.0
    connections_limit: float = 0.0
    connections_error: float = 0.0
    """@connections answers 410, 429 or 500, whatever the request is."""

    dynamodb_cut: float = 0.0
    """DynamoDB carries out the request, but the connection ends without an answer."""

    dynamodb_throttle: float = 0.0
    dynamodb_error: float = 0.0
    """DynamoDB refuses with ProvisionedThroughputExceededException, or answers 500."""

    kill: float = 0.0
    """A connection is lost without a close frame, after one of its messages."""

    latency: tuple[float, float] = (0.0, 0.0)
    """Seconds, lowest and highest, by which every event and @connections call is delayed."""

    @property
    def of_dynamodb(self) -> dict[str, float]:
        """The faults between the run and DynamoDB, by their names in `dynamodb_faults.DynamoDBFaults`."""
        return {kind: getattr(self, f"dynamodb_{kind}") for kind in ("cut", "throttle", "error")}


def names() -> list[str]:
    """The names of the faults on the command line, such as `disconnect.drop`."""
    return [f.name.replace("_", ".") for f in fields(Faults) if f.name != "latency"]


def parse(settings: Iterable[str], latency: str = "") -> Faults:
    """Reads `disconnect.drop=0.1` and a latency of `50` or `20-80` milliseconds.

    Raises:
        ValueError: a setting is wrong. The message is fit for the command line.
    """
    faults = Faults()
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in names():
            raise ValueError(f"There is no fault {name!r}. The faults are {', '.join(names())}.")
        chosen: dict[str, Any] = {name.replace(".", "_"): _number(name, value or "1")}
        faults = replace(faults, **chosen)
    if sum(faults.of_dynamodb.values()) > 1:
        raise ValueError("Only one DynamoDB fault can happen at a time: their probabilities must add up to 1 or less.")
    if latency:
        low, _, high = latency.removesuffix("ms").partition("-")
        span = (_number("latency", low) / 1000, _number("latency", high or low) / 1000)
        if span[1] < span[0]:
            raise ValueError(f"The lower latency comes first: {high}-{low}, not {latency}.")
        faults = replace(faults, latency=span)
    return faults


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{name} needs a number, not {text!r}.") from None
    if name in ("connect.slow", "disconnect.delay", "latency"):
        if not 0 <= number < inf:
            raise ValueError(f"{name} is a time in seconds and must be 0 or more, not {text}.")
    elif not 0 <= number <= 1:
        raise ValueError(f"{name} is a probability and must be from 0 to 1, not {text}.")
    return number


class Dice:
    """Random decisions, the same for the same seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - which test message is lost is no secret

    def says(self, probability: float) -> bool:
        """True with this probability. 0 and 1 draw no random number, so they do not change the sequence."""
        return probability > 0 and (probability >= 1 or self._random.random() < probability)

    def between(self, span: tuple[float, float]) -> float:
        """A random number between the two."""
        low, high = span
        return low if high <= low else self._random.uniform(low, high)
