"""The jobs of queued broadcasts."""

from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute

from ws_lambda import clock
from ws_lambda.tables.table import Table, TableMeta

KEPT: Final = timedelta(days=1)
"""How long a row is kept after its last change. The queue keeps messages for a shorter time."""


class FanoutJobRow(Table):
    """One job: one part of a broadcast's recipients."""

    class Meta(metaclass=TableMeta):
        name = "fanout_jobs"

    job_id = UnicodeAttribute(hash_key=True)
    digest = UnicodeAttribute(null=True)
    """The digest of the whole job, written before the job is queued. A job with another digest is refused."""

    after = UnicodeAttribute(default="")
    """The last recipient that was read: its key in the roster, or its number in the list."""

    pending = UnicodeAttribute(default="[]")
    """Recipients without an outcome at the checkpoint, as JSON: in flight, or waiting for a retry."""

    sent = NumberAttribute(default=0)
    gone = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)
    finished = BooleanAttribute(default=False)
    worker = UnicodeAttribute(null=True)
    """The worker that has the job. Only this worker may write a checkpoint."""

    leased_until = NumberAttribute(default=0)
    """Milliseconds since the epoch. After that, another worker may take the job."""

    expires_at = TTLAttribute()

    @staticmethod
    def expiry() -> datetime:
        """When a row that changes now expires."""
        return clock.utcnow() + KEPT

    @classmethod
    def queued(cls, job_id: str, digest: str) -> dict[str, dict[str, str]]:
        """The item of a job that will be queued, in DynamoDB's JSON, because many are written at once."""
        return {
            "job_id": {"S": job_id},
            "digest": {"S": digest},
            "expires_at": {"N": str(int(cls.expiry().timestamp()))},
        }
