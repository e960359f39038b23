"""The jobs on the fan-out queue. A job is a message, and one part of its recipients.

A job carries the message itself. SQS accepts 1 MiB for a message and for a batch; queues made before August 2025, and
most emulators, 256 KiB. 131,072 bytes are 174,764 in base64, whatever they are; as a string inside JSON they could be
six times as many. So a job is under 256 KiB, with 80 KB to spare for its list of recipients, and needs no second store.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

from ws_lambda.delivery.key_ranges import KeyRange
from ws_lambda.delivery.outcomes import Recipient

VERSION: Final = 2
LIFETIME: Final = 3600
"""Seconds after which a job is no longer sent. A broadcast that is an hour late is worse than none."""

LISTED_IN_A_JOB: Final = 300
"""The most recipients that a job lists: some 45 kB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One part of one broadcast."""

    job_id: str
    """`<broadcast>.<number>`, the key of the job's row."""

    body: bytes
    pieces: int
    """How many jobs the broadcast has. Each sends at this fraction of FANOUT_MAX_RPS."""

    not_after: int
    """Seconds since the epoch. Later, it is left to the dead-letter queue, so that no job is requeued for ever."""

    part: KeyRange | None = None
    listed: tuple[Recipient, ...] = ()
    """Used instead of a part: exactly these recipients."""

    held_over: bool = False
    """Whether the listed recipients were not open yet. Those whose session has ended meanwhile get nothing."""

    def fits(self, cursor: object) -> bool:
        """Whether a stored position, a number in the list or a cursor in the part, can be one of this job."""
        if self.part is not None:
            return self.part.fits(cursor)
        number = cursor if isinstance(cursor, str) and len(cursor) < 10 and cursor.isascii() else ""
        return number.isdecimal() and int(number) <= len(self.listed)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole job, hexadecimal. The sender stores it, and the worker refuses any other job."""
        return sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The queue message."""
        return json.dumps(
            {
                "ws_lambda_fanout": VERSION,
                "job_id": self.job_id,
                "body": b64encode(self.body).decode(),
                "pieces": self.pieces,
                "not_after": self.not_after,
                "part": self.part and self.part.as_dict(),
                "listed": self.listed,
                "held_over": self.held_over,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a queue message.

        Raises:
            ValueError: it is not a job of this version.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            if raw["ws_lambda_fanout"] != VERSION:
                raise ValueError(f"version {raw['ws_lambda_fanout']!r}")
            pieces = int(raw["pieces"])
            if not isinstance(raw["job_id"], str) or not raw["job_id"] or pieces < 1:
                raise ValueError(f"job {raw['job_id']!r} of {pieces} pieces")
            return cls(
                job_id=raw["job_id"],
                body=b64decode(raw["body"], validate=True),
                pieces=pieces,
                not_after=int(raw["not_after"]),
                part=KeyRange(**raw["part"]) if raw["part"] else None,
                listed=recipients_of(raw["listed"]),
                held_over=bool(raw["held_over"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as wrong:
            raise ValueError(f"This is not a fan-out job: {wrong}") from wrong


def recipients_of(raw: Any) -> tuple[Recipient, ...]:
    """Reads recipients from their form in JSON, a list of lists.

    Raises:
        ValueError: it does not have this form.
    """
    if not isinstance(raw, list):
        raise ValueError(f"{raw!r} is not a list of recipients")
    for one in raw:
        if not isinstance(one, list) or [type(part) for part in one] != [str, str, int]:
            raise ValueError(f"{one!r} is not a recipient")
    return tuple(Recipient(*one) for one in raw)
