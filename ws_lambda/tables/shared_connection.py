"""The one connection to DynamoDB that all tables of a process share."""

from typing import Any
from uuid import uuid4

import botocore.session
from botocore.exceptions import ConnectionClosedError, HTTPClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, VerboseClientError

from ws_lambda import aws, process_state
from ws_lambda.process_state import Occasion
from ws_lambda.retrying import Retry
from ws_lambda.tables import idempotency

_COLLISIONS = {"TransactionConflictException", "TransactionInProgressException"}
"""A single write collided with a transaction on the same item, and nothing was written; or a transaction collided with
its own earlier attempt, which is still running. botocore does not retry either.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

_RETRY = Retry(base=0.02, attempts=6, within=3.0, overtime=1.0)
"""For collisions, and for cut connections after botocore's own attempts. If many requests have failed lately, botocore
makes only one attempt, and a write with an unknown outcome is worse than one more attempt.
"""

_lock = process_state.Lock()
_shared: Connection | None = None


class SharedConnection(Connection):
    """PynamoDB's connection. It uses one botocore session for the process instead of one for each thread."""

    @property
    def session(self) -> botocore.session.Session:
        return aws.session()

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Makes a request. A write that DynamoDB did, and whose answer was lost, counts as done: see `idempotency`."""
        idempotency.ask_for_items(operation_name, operation_kwargs)
        if operation_name == "TransactWriteItems":
            operation_kwargs.setdefault("ClientRequestToken", uuid4().hex)  # one for all attempts
        attempts, cut = _RETRY.begin(), False
        while True:
            try:
                return super().dispatch(operation_name, operation_kwargs)
            except HTTPClientError as lost:
                vars(lost)["response"] = {}  # PynamoDB reads it without checking that there is one
                cut = True
                if not isinstance(lost, ConnectionClosedError) or not attempts.wait():
                    raise
            except VerboseClientError as error:
                if idempotency.done_before(operation_name, operation_kwargs, error, again=cut):
                    return {}
                code = idempotency.response_code(error)
                if code == aws.NO_TABLE:
                    error.add_note(aws.NO_TABLE_ADVICE)
                if code not in _COLLISIONS or not attempts.wait():
                    raise


def condition_failed(error: PynamoDBException | VerboseClientError) -> bool:
    """Whether a conditional write failed because the item does not meet its condition."""
    return idempotency.response_code(error) == "ConditionalCheckFailedException"


def connection() -> Connection:
    """The connection that all tables use. Transactions across tables take it as an argument."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = SharedConnection(region=aws.region(), connect_timeout_seconds=3, read_timeout_seconds=5)
            _shared.client  # noqa: B018 - made under the lock, because creating botocore clients is not thread-safe
        return _shared


def share_connection(connection: Connection) -> None:
    """Has all tables use this connection from now on."""
    global _shared
    with _lock:
        _shared = connection


def forget_connection() -> None:
    """Drops the connection, so that the next use reads endpoint, region and credentials again."""
    global _shared
    with _lock:
        _shared = None


process_state.register(forget_connection, Occasion.TEST, Occasion.FORK)
