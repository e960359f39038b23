"""The jobs of queued broadcasts."""

from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda import clock
from ws_lambda.tables.table import Table, TableMeta

KEPT: Final = timedelta(days=1)
"""How long a row is kept after its last change; the queue keeps messages for less."""


class FanoutJobRow(Table):
    """One job: one part of a broadcast's recipients."""

    class Meta(metaclass=TableMeta):
        name = "fanout_jobs"

    job_id = UnicodeAttribute(hash_key=True)
    digest = UnicodeAttribute(null=True)
    """Of the whole job, written by the sender before the job is queued. A job with another one is no job."""

    after = UnicodeAttribute(default="")
    """The key, or the number in the list, of the last recipient taken from the roster."""

    pending = UnicodeAttribute(default="[]")
    """Those taken whose outcome was not known at the checkpoint, as JSON: in flight, or waiting for a retry."""

    sent = NumberAttribute(default=0)
    gone = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)
    finished = BooleanAttribute(default=False)
    worker = UnicodeAttribute(null=True)
    """Who has the job: only that one may write a checkpoint."""

    leased_until = NumberAttribute(default=0)
    """Milliseconds since the epoch. After that, another worker may take the job."""

    expires_at = TTLAttribute()

    @staticmethod
    def expiry() -> datetime:
        """When a row that changes now may go."""
        return clock.utcnow() + KEPT

    @classmethod
    def queued(cls, job_id: str, digest: str) -> dict[str, dict[str, str]]:
        """The item of a job that is about to be queued, in DynamoDB's JSON: many are written at once."""
        return {
            "job_id": {"S": job_id},
            "digest": {"S": digest},
            "expires_at": {"N": str(int(cls.expiry().timestamp()))},
        }
