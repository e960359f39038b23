"""Parts of a roster, cut so that each can be read, sent to and resumed on its own.

A part is everything of one partition after one key up to another, in the order that DynamoDB keeps. The ends need
not exist, so a part stays what it is while members come and go.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self

from ws_lambda.delivery.outcomes import Recipient

ALPHABET: Final = "+-/0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""What connection ids are made of, plain and url-safe base64, in the order that DynamoDB sorts strings."""

_DIGITS = 10
"""Characters compared: 60 bits."""

_MAX_KEY_BYTES = 1024
"""The longest sort key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

_DIGITS_OF_A_MOMENT = 16
"""Milliseconds since the epoch have 13 of them."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Part of one partition: keys greater than `after`, up to and with `upto`."""

    kind: Literal["channel", "live"]
    """Of a channel's membership, or of the index of open connections."""

    partition: str
    """The value of the hash key."""

    after: str = ""
    """A connection id, or `connected_at:connection_id` in the index; "" is the beginning."""

    upto: str = ""
    """A connection id; "" is the end."""

    def __post_init__(self) -> None:
        """Raises ValueError for what is no part of anything: it may come from a queue."""
        texts = (self.kind, self.partition, self.after, self.upto)
        if self.kind not in ("channel", "live") or not all(isinstance(one, str) for one in texts):
            raise ValueError(f"{self.as_dict()} is no part of a roster")
        if self.after and self._place(self.after) is None:
            raise ValueError(f"{self.after!r} is no place in {self.kind} {self.partition!r}")

    def fits(self, cursor: object) -> bool:
        """Whether a stored cursor is one in this part, which DynamoDB can go on after: it refuses any other."""
        place, begin = self._place(cursor), self._place(self.after)
        if place is None or (begin is not None and place < begin):
            return False
        return self.kind == "live" or not self.upto or str(cursor).encode() <= self.upto.encode()

    def _place(self, cursor: object) -> tuple[int, bytes] | None:
        """Where a cursor is in the order that DynamoDB keeps; None for what is none."""
        if not isinstance(cursor, str):
            return None
        moment, _, key = cursor.partition(":") if self.kind == "live" else ("0", "", cursor)
        key_bytes = key.encode(errors="surrogatepass")
        if not 0 < len(key_bytes) <= _MAX_KEY_BYTES or len(moment) > _DIGITS_OF_A_MOMENT:
            return None
        return (int(moment), key_bytes) if moment.isascii() and moment.isdecimal() else None

    def cursor(self, last: Recipient) -> str:
        """What `after` has to be for everything behind a recipient."""
        return last.connection_id if self.kind == "channel" else f"{last.connected_at}:{last.connection_id}"

    def resumed_at(self, cursor: str) -> Self:
        """What is left of it behind a cursor."""
        return replace(self, after=cursor)

    def resumed(self, last: Recipient) -> Self:
        """What is left of it behind a recipient that was in it."""
        return self.resumed_at(self.cursor(last))

    def as_dict(self) -> dict[str, Any]:
        """For a queue job."""
        return asdict(self)


def cut(after: str, upto: str, parts: int) -> list[tuple[str, str]]:
    """Cuts the ids in (after, upto] into so many stretches of the alphabet, evenly between the two ends.

    Evenly between the *ends*, not over all ids: in captured events, ids of one moment share their first characters.
    """
    low, high = _number(after), _number(upto)
    step = (high - low) / parts
    marks = [after]
    for part in range(1, parts):
        mark = _text(int(low + step * part))
        if marks[-1] < mark < upto:
            marks.append(mark)
    return list(zip(marks, [*marks[1:], upto], strict=True))


def _number(text: str) -> int:
    value = 0
    for place in range(_DIGITS):
        digit = _rank(text[place]) + 1 if place < len(text) else 0
        value = value * (len(ALPHABET) + 1) + digit
    return value


def _rank(character: str) -> int:
    """The place of a character; of one that no id has, the place of the next greater."""
    return next((rank for rank, known in enumerate(ALPHABET) if known >= character), len(ALPHABET) - 1)


def _text(value: int) -> str:
    digits = []
    for _ in range(_DIGITS):
        value, digit = divmod(value, len(ALPHABET) + 1)
        digits.append(digit)
    digits.reverse()
    return "".join(ALPHABET[digit - 1] for digit in digits if digit)
