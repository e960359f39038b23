"""Parts of a roster, each of which can be read, sent to and resumed on its own.

A part is everything in one partition after one key and up to another, in DynamoDB's order. The keys at its ends need
not exist, so a part stays the same while members come and go.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self

from ws_lambda.delivery.outcomes import Recipient

ALPHABET: Final = "+-/0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""The characters of connection ids, plain and URL-safe base64, in the order in which DynamoDB sorts strings."""

_DIGITS = 10
"""How many characters are compared: 60 bits."""

_MAX_KEY_BYTES = 1024
"""The longest sort key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

_DIGITS_OF_A_MOMENT = 16
"""Milliseconds since the epoch have 13."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Part of one partition: keys greater than `after`, up to and with `upto`."""

    kind: Literal["channel", "live"]
    """Whether it is a part of a channel's memberships, or of the index of open connections."""

    partition: str
    """The value of the hash key."""

    after: str = ""
    """A connection id, or `connected_at:connection_id` in the index. "" is the beginning."""

    upto: str = ""
    """A connection id. "" is the end."""

    def __post_init__(self) -> None:
        """Raises ValueError for values that cannot be a part of a roster: they may come from a queue."""
        texts = (self.kind, self.partition, self.after, self.upto)
        if self.kind not in ("channel", "live") or not all(isinstance(one, str) for one in texts):
            raise ValueError(f"{self.as_dict()} is not a part of a roster")
        if self.after and self._place(self.after) is None:
            raise ValueError(f"{self.after!r} is not a key in {self.kind} {self.partition!r}")

    def fits(self, cursor: object) -> bool:
        """Whether a stored cursor is in this part, so that a query can go on after it. DynamoDB refuses any other."""
        place, begin = self._place(cursor), self._place(self.after)
        if place is None or (begin is not None and place < begin):
            return False
        return self.kind == "live" or not self.upto or str(cursor).encode() <= self.upto.encode()

    def _place(self, cursor: object) -> tuple[int, bytes] | None:
        """The place of a cursor in DynamoDB's order; None if it is not a cursor."""
        if not isinstance(cursor, str):
            return None
        moment, _, key = cursor.partition(":") if self.kind == "live" else ("0", "", cursor)
        key_bytes = key.encode(errors="surrogatepass")
        if not 0 < len(key_bytes) <= _MAX_KEY_BYTES or len(moment) > _DIGITS_OF_A_MOMENT:
            return None
        return (int(moment), key_bytes) if moment.isascii() and moment.isdecimal() else None

    def cursor(self, last: Recipient) -> str:
        """The `after` of everything behind a recipient."""
        return last.connection_id if self.kind == "channel" else f"{last.connected_at}:{last.connection_id}"

    def resumed_at(self, cursor: str) -> Self:
        """The rest of the part behind a cursor."""
        return replace(self, after=cursor)

    def resumed(self, last: Recipient) -> Self:
        """The rest of the part behind one of its recipients."""
        return self.resumed_at(self.cursor(last))

    def as_dict(self) -> dict[str, Any]:
        """The part as it is stored in a queue job."""
        return asdict(self)


def cut(after: str, upto: str, parts: int) -> list[tuple[str, str]]:
    """Cuts the ids in (after, upto] into this many ranges, evenly between the two ends.

    The cut is even between the *ends*, not over all ids: in captured events, ids of the same moment share their first
    characters.
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
    """The place of a character in the alphabet. For any other character, the place of the next greater one."""
    return next((rank for rank, known in enumerate(ALPHABET) if known >= character), len(ALPHABET) - 1)


def _text(value: int) -> str:
    digits = []
    for _ in range(_DIGITS):
        value, digit = divmod(value, len(ALPHABET) + 1)
        digits.append(digit)
    digits.reverse()
    return "".join(ALPHABET[digit - 1] for digit in digits if digit)
