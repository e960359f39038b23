"""Writes the rows of jobs that are about to be queued, 25 rows at a time.

A job's id is random and its row is new, so no condition is asked for.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ws_lambda import aws
from ws_lambda.delivery.jobs import Job
from ws_lambda.exceptions import DeliveryError
from ws_lambda.retrying import Retry
from ws_lambda.tables.fanout_jobs import FanoutJobRow

_RETRY = Retry(base=0.05, attempts=6, overtime=1.0)
"""With overtime, because jobs are also queued after sending, which may end at the deadline."""


def register(jobs: Sequence[Job]) -> None:
    """Writes the rows of up to 25 jobs. A worker refuses a job without a row.

    Raises:
        DeliveryError: DynamoDB did not accept them all.
    """
    table = FanoutJobRow.Meta.table_name
    rows = [FanoutJobRow.queued(job.job_id, job.digest) for job in jobs]
    left: dict[str, Any] = {table: [{"PutRequest": {"Item": row}} for row in rows]}
    attempts = _RETRY.begin()
    while True:
        try:
            left = aws.client("dynamodb").batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
        except (BotoCoreError, ClientError) as refused:
            advice = f" {aws.NO_TABLE_ADVICE}" if aws.NO_TABLE in str(refused) else ""
            raise DeliveryError(f"The jobs of a broadcast could not be written: {refused}{advice}") from refused
        if not left:
            return
        if not attempts.wait():
            raise DeliveryError(f"{len(left[table])} jobs of a broadcast could not be written: DynamoDB is too busy")
